// Elements, with text as text: nothing here ever parses HTML.

/**
 * @type {<K extends keyof HTMLElementTagNameMap>(
 *   name: K, attributes?: Attributes, children?: Children
 * ) => HTMLElementTagNameMap[K]}
 */
export function element(name, attributes = {}, children = []) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) {
      made.setAttribute(key, value === true ? "" : String(value));
    }
  }
  made.append(...[children].flat().filter(isThere));
  return made;
}

/** @type {(child: Child) => child is Node | string} */
function isThere(child) {
  return child !== null && child !== undefined && child !== false;
}

const SVG = "http://www.w3.org/2000/svg";

/** @type {(name: string, attributes?: Texts, children?: Node | string | (Node | string)[]) => SVGElement} */
export function drawing(name, attributes = {}, children = []) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...[children].flat());
  return made;
}

/** @type {(parent: Element, children: Children) => void} */
export function fill(parent, children) {
  parent.replaceChildren(...[children].flat().filter(isThere));
}

// The element of the page with an id; it is there, or the page is not one of ours.
/** @type {(id: string) => HTMLElement} */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no ${id}`);
  return found;
}

// The first element of a kind within another, which is there as well.
/** @type {(parent: ParentNode, selector: string) => HTMLElement} */
export function within(parent, selector) {
  const found = parent.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`the page has no ${selector}`);
  return found;
}

// The element of a kind that an event came from, or that holds where it came from; null for none.
/** @type {(event: Event, selector: string) => HTMLElement | null} */
export function closestTo(event, selector) {
  const found = event.target instanceof Element ? event.target.closest(selector) : null;
  return found instanceof HTMLElement ? found : null;
}

// A patch of a colour, or of none.
/** @type {(colour: string | null | undefined) => HTMLElement} */
export function swatch(colour) {
  const made = element("span", { class: "swatch", "aria-hidden": "true" });
  if (colour) made.style.backgroundColor = colour;
  return made;
}
