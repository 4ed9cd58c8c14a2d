// A small table without controls.

import { element } from "../common/dom.js";

// `head` are the columns' names, `lines` rows of cells: texts or elements, the first of them the row's head; `foot` is
// a last row of sums.
/** @type {(label: string, head: string[], lines: Child[][], foot?: Child[] | null) => HTMLElement} */
export function plainTable(label, head, lines, foot = null) {
  const row = (/** @type {Child[]} */ cells) =>
    element(
      "tr",
      {},
      cells.map((cell, place) => (place ? element("td", {}, cell) : element("th", { scope: "row" }, cell))),
    );
  const heads = element(
    "tr",
    {},
    head.map((name) => (name ? element("th", { scope: "col" }, name) : element("td"))),
  );
  const table = element("table", { "aria-label": label }, [
    element("thead", {}, heads),
    element("tbody", {}, lines.map(row)),
    foot ? element("tfoot", {}, row(foot)) : null,
  ]);
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, table);
}
