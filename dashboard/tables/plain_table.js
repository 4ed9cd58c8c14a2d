// A small table without controls.

import { element } from "../common/dom.js";

// `head` are the columns' names, `lines` rows of cells: texts or elements, the first of them the row's head; `foot` is
// a last row of sums. On a phone plain_table.css puts the cells of some below each other, each with its head before it;
// roles keep it a table for screen readers then.
/** @type {(label: string, head: string[], lines: Child[][], foot?: Child[] | null) => HTMLElement} */
export function plainTable(label, head, lines, foot = null) {
  const row = (/** @type {Child[]} */ cells) =>
    element(
      "tr",
      { role: "row" },
      cells.map((cell, place) =>
        place
          ? element("td", { role: "cell", "data-label": head[place] }, cell)
          : element("th", { scope: "row", role: "rowheader" }, cell),
      ),
    );
  const heads = element(
    "tr",
    { role: "row" },
    head.map((name) =>
      name ? element("th", { scope: "col", role: "columnheader" }, name) : element("td", { role: "cell" }),
    ),
  );
  const table = element("table", { class: "plain", role: "table", "aria-label": label }, [
    element("thead", { role: "rowgroup" }, heads),
    element("tbody", { role: "rowgroup" }, lines.map(row)),
    foot ? element("tfoot", { role: "rowgroup" }, row(foot)) : null,
  ]);
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, table);
}
