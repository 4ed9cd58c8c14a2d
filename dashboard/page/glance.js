// The first screen: what each subject tells at a glance, as a card, with the way to all of it.

import { element, fill, within } from "../common/dom.js";
import { SUBJECTS } from "../subjects/index.js";

// Works out all cards; touches no page. Throws where something in the report is not as it should be.
/** @type {(viewModel: ViewModel) => Glance[]} */
export function glancesOf(viewModel) {
  const { data } = viewModel;
  const now = data.queue?.at ?? data.metadata.last_updated_epoch; // how long something waits is told as of the answer
  const cards = SUBJECTS.map((subject) => subject.glance?.(viewModel, now) ?? null);
  return cards.filter((card) => card !== null);
}

// The focus stays where it was.
/** @type {(panel: HTMLElement, cards: Glance[]) => void} */
export function showGlances(panel, cards) {
  const place = within(panel, ".glance");
  const held = document.activeElement instanceof HTMLElement ? document.activeElement : null;
  const to = held && place.contains(held) ? held.dataset.to : undefined;
  fill(place, cards.map(glancePart));
  const links = /** @type {NodeListOf<HTMLElement>} */ (place.querySelectorAll("a[data-to]"));
  if (held && !held.isConnected) {
    const same = [...links].find((link) => link.dataset.to === to);
    (same ?? panel).focus({ preventScroll: true });
  }
}

// What the cards depend on: no range, so they stay as they are while the reader zooms.
/** @type {(viewModel: ViewModel) => string} */
export function glanceStamp({ data, zone, stack }) {
  const colours = stack.map((layer) => [layer.name, layer.colour]);
  return JSON.stringify([data.metadata.last_updated_epoch, data.staleness, zone, colours]);
}

/** @type {(card: Glance) => HTMLElement} */
function glancePart({ title, children, to, more }) {
  const way = to ? element("p", {}, element("a", { href: `#section=${to}`, "data-to": to }, more)) : null;
  return element("section", {}, [element("h3", {}, title), ...[children].flat(), way]);
}
