// Cells of the tables on the page.

import { element, swatch } from "../common/dom.js";
import { shownName, visible } from "../common/format.js";

// The user's colour in the charts stands beside the name; who has no area of their own has the others' grey.
/** @type {(user: string, colours: Map<string | null, string>) => HTMLElement} */
export function userCell(user, colours) {
  const title = visible(user); // in full: names that are cut often differ at their end
  return element("th", { scope: "row", title }, userMark(user, colours));
}

// The same within a cell.
/** @type {(user: string, colours: Map<string | null, string>) => HTMLElement} */
export function userName(user, colours) {
  return element("span", { title: visible(user) }, userMark(user, colours));
}

/** @type {(user: string, colours: Map<string | null, string>) => HTMLElement[]} */
function userMark(user, colours) {
  return [swatch(colours.get(user) ?? colours.get(null)), element("bdi", {}, shownName(user))];
}

// What makes the cells of a row: the user's name with the colour that the stack has for it, and texts.
/** @type {(columns: Column[], stack: Layer[]) => (row: any) => HTMLElement[]} */
export function cellsBy(columns, stack) {
  const colours = coloursOf(stack);
  return (row) =>
    columns.map((column) =>
      column.kind === "name"
        ? userCell(String(column.value(row)), colours)
        : element("td", { class: column.kind }, column.text?.(row)),
    );
}

// User -> colour; that of the others is null's.
/** @type {(stack: Layer[]) => Map<string | null, string>} */
export function coloursOf(stack) {
  return new Map(stack.map((layer) => [layer.name, layer.colour]));
}
