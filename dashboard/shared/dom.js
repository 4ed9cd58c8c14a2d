// Elements, with text as text: nothing here ever parses HTML.

export function element(name, attributes = {}, children = []) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...[children].flat().filter((child) => child !== null && child !== undefined));
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

export function drawing(name, attributes = {}, children = []) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...[children].flat());
  return made;
}

export function fill(parent, children) {
  parent.replaceChildren(...[children].flat().filter(Boolean));
}

// A patch of a colour, or of none.
export function swatch(colour) {
  const made = element("span", { class: "swatch", "aria-hidden": "true" });
  if (colour) made.style.backgroundColor = colour;
  return made;
}
