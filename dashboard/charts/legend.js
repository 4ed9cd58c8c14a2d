// The legend that the charts share: who is shown, alone, pinned, or stands out.

import { element, swatch } from "../shared/dom.js";
import { layerName } from "./figure.js";

// Listens to a legend. `actions` are toggle(id), isolate(id), isolateAfterToggle(id), unpin(id) and
// highlight(id or null).
export function startLegend(list, actions) {
  const idAt = (event) => event.target.closest("[data-id]")?.dataset.id ?? null;
  list.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.does === "unpin") actions.unpin(idAt(event));
    else clicked(event, idAt(event), actions);
  });
  list.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.shiftKey || !event.target.closest('[data-does="toggle"]')) return;
    event.preventDefault();
    actions.isolate(idAt(event));
  });
  list.addEventListener("pointerover", (event) => event.pointerType !== "touch" && actions.highlight(idAt(event)));
  list.addEventListener("pointerleave", () => actions.highlight(null));
  list.addEventListener("focusin", (event) => event.target.matches(":focus-visible") && actions.highlight(idAt(event)));
  list.addEventListener("focusout", () => actions.highlight(null));
}

// The first click of a double one has done its work at once; the second takes it back and shows the layer alone.
function clicked(event, id, actions) {
  if (event.shiftKey) return actions.isolate(id);
  if (event.detail > 2) return undefined;
  return event.detail === 2 ? actions.isolateAfterToggle(id) : actions.toggle(id);
}

// Brings a legend up to date. What stays is kept, and with it the focus.
export function showLegend(list, viewModel, pinned) {
  const focused = list.contains(document.activeElement) ? document.activeElement : null;
  const known = new Map([...list.children].map((item) => [item.dataset.id, item]));
  const shown = new Set(viewModel.shown.map((layer) => layer.id));
  const items = viewModel.stack.map((layer) => {
    const item = known.get(layer.id) ?? newItem(layer);
    bringUpToDate(item, layer, shown.has(layer.id), pinned.includes(layer.id));
    return item;
  });
  items.forEach(
    (item, place) => list.children[place] !== item && list.insertBefore(item, list.children[place] ?? null),
  );
  while (list.children.length > items.length) list.lastElementChild.remove();
  if (focused && document.activeElement !== focused) {
    (focused.isConnected ? focused : list.querySelector("button"))?.focus();
  }
}

function newItem(layer) {
  return element(
    "li",
    { "data-id": layer.id },
    legendButton("toggle", {}, [swatch(layer.colour), element("bdi", {}, "")]),
  );
}

function bringUpToDate(item, layer, isShown, isPinned) {
  const toggle = item.firstElementChild;
  toggle.setAttribute("aria-pressed", String(isShown));
  toggle.querySelector("bdi").textContent = layerName(layer);
  toggle.querySelector(".swatch").style.backgroundColor = layer.colour;
  if (isPinned === item.classList.contains("pinned")) return;
  item.classList.toggle("pinned", isPinned);
  if (isPinned) item.append(legendButton("unpin", { "aria-label": `Unpin ${layerName(layer)}`, title: "Unpin" }, "×"));
  else item.lastElementChild.remove();
}

function legendButton(does, attributes, children) {
  return element("button", { type: "button", "data-does": does, ...attributes }, children);
}
