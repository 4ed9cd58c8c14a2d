// The legend that the charts share: who is shown, alone, pinned, or stands out.

import { closestTo, element, swatch, within } from "../common/dom.js";
import { layerName } from "./figure.js";

// Listens to a legend. `actions` are toggle(id), isolate(id), isolateAfterToggle(id), unpin(id) and
// highlight(id or null).
/** @type {(list: HTMLElement, actions: LegendActions) => void} */
export function startLegend(list, actions) {
  const idAt = (/** @type {Event} */ event) => closestTo(event, "[data-id]")?.dataset.id ?? null;
  list.addEventListener("click", (event) => {
    const button = closestTo(event, "button");
    const id = idAt(event);
    if (!button || id === null) return;
    if (button.dataset.does === "unpin") actions.unpin(id);
    else clicked(event, id, actions);
  });
  list.addEventListener("keydown", (event) => {
    const id = closestTo(event, '[data-does="toggle"]') && idAt(event);
    if (event.key !== "Enter" || !event.shiftKey || !id) return;
    event.preventDefault();
    actions.isolate(id);
  });
  list.addEventListener("pointerover", (event) => event.pointerType !== "touch" && actions.highlight(idAt(event)));
  list.addEventListener("pointerleave", () => actions.highlight(null));
  list.addEventListener(
    "focusin",
    (event) => closestTo(event, ":focus-visible") === event.target && actions.highlight(idAt(event)),
  );
  list.addEventListener("focusout", () => actions.highlight(null));
}

// The first click of a double one has done its work at once; the second takes it back and shows the layer alone.
/** @type {(event: MouseEvent, id: string, actions: LegendActions) => void} */
function clicked(event, id, actions) {
  if (event.shiftKey) return actions.isolate(id);
  if (event.detail > 2) return undefined;
  return event.detail === 2 ? actions.isolateAfterToggle(id) : actions.toggle(id);
}

// Brings a legend up to date. What stays is kept, and with it the focus.
/** @type {(list: HTMLElement, viewModel: ViewModel, pinned: string[]) => void} */
export function showLegend(list, viewModel, pinned) {
  const focused = list.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement) : null;
  const before = /** @type {HTMLElement[]} */ ([...list.children]);
  const known = new Map(before.map((item) => [item.dataset.id, item]));
  const shown = new Set(viewModel.shown.map((layer) => layer.id));
  const items = viewModel.stack.map((layer) => {
    const item = known.get(layer.id) ?? newItem(layer);
    const words = layer.name !== null && layer.name === viewModel.me ? `${layerName(layer)} (you)` : layerName(layer);
    bringUpToDate(item, layer, words, shown.has(layer.id), pinned.includes(layer.id));
    return item;
  });
  items.forEach(
    (item, place) => list.children[place] !== item && list.insertBefore(item, list.children[place] ?? null),
  );
  while (list.children.length > items.length) list.lastElementChild?.remove();
  if (focused && document.activeElement !== focused) {
    (focused.isConnected ? focused : list.querySelector("button"))?.focus();
  }
}

/** @type {(layer: Layer) => HTMLElement} */
function newItem(layer) {
  return element(
    "li",
    { "data-id": layer.id },
    legendButton("toggle", {}, [swatch(layer.colour), element("bdi", {}, "")]),
  );
}

/** @type {(item: HTMLElement, layer: Layer, words: string, isShown: boolean, isPinned: boolean) => void} */
function bringUpToDate(item, layer, words, isShown, isPinned) {
  const toggle = within(item, "button");
  toggle.setAttribute("aria-pressed", String(isShown));
  within(toggle, "bdi").textContent = words;
  within(toggle, ".swatch").style.backgroundColor = layer.colour;
  if (isPinned === item.classList.contains("pinned")) return;
  item.classList.toggle("pinned", isPinned);
  if (isPinned) item.append(legendButton("unpin", { "aria-label": `Unpin ${layerName(layer)}`, title: "Unpin" }, "×"));
  else item.lastElementChild?.remove();
}

/** @type {(does: string, attributes: Attributes, children: Children) => HTMLElement} */
function legendButton(does, attributes, children) {
  return element("button", { type: "button", "data-does": does, ...attributes }, children);
}
