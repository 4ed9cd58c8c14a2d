// Cells of the tables on the page.

import { element, swatch } from "../common/dom.js";
import { shownName, visible } from "../common/format.js";

// The user's colour in the charts stands beside the name; who has no area of their own has the others' grey.
// `words` are what stands there in the place of a name that is nobody's.
/** @type {(user: string, colours: Map<string | null, string>, words?: string) => HTMLElement} */
export function userCell(user, colours, words = shownName(user)) {
  const title = visible(user); // in full: names that are cut often differ at their end
  return element("th", { scope: "row", title }, userMark(user, colours, words));
}

// The same within a cell.
/** @type {(user: string, colours: Map<string | null, string>, words?: string) => HTMLElement} */
export function userName(user, colours, words = shownName(user)) {
  return element("span", { title: visible(user) }, userMark(user, colours, words));
}

/** @type {(user: string, colours: Map<string | null, string>, words: string) => HTMLElement[]} */
function userMark(user, colours, words) {
  return [swatch(colours.get(user) ?? colours.get(null)), element("bdi", {}, words)];
}

// What makes the cells of a row: the user's name with the colour that the stack has for it, and texts.
// `words` gives what a user is called.
/** @type {(columns: Column[], stack: Layer[], words?: (user: string) => string) => (row: any) => HTMLElement[]} */
export function cellsBy(columns, stack, words = shownName) {
  const colours = coloursOf(stack);
  return (row) =>
    columns.map((column) =>
      column.kind === "name"
        ? userCell(String(column.value(row)), colours, words(String(column.value(row))))
        : element("td", { class: column.kind }, column.text?.(row)),
    );
}

// User -> colour; that of the others is null's.
/** @type {(stack: Layer[]) => Map<string | null, string>} */
export function coloursOf(stack) {
  return new Map(stack.map((layer) => [layer.name, layer.colour]));
}
