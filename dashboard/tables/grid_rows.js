// The rows of a table of the page. Where there is little room, on a phone, a row shows its name and what comes first;
// the rest of it is opened by its button, or by a tap on the row. tables.css says when that is.

import { closestTo, element } from "../common/dom.js";
import { visible } from "../common/format.js";
import { remembered } from "../common/remembered.js";
import { markedMine } from "./mine.js";
import { fullLabel } from "./table_data.js";

const FEW = 2; // columns beside the name for which there is room everywhere

/** @type {(grid: Grid) => void} */
export function startRows(grid) {
  for (const part of [grid.body, grid.foot]) part.addEventListener("click", tapped);
}

// The button hears its own clicks; what is selected in a row is no tap.
/** @type {(event: Event) => void} */
function tapped(event) {
  const button = closestTo(event, "tr")?.querySelector("button.more-of");
  if (!(button instanceof HTMLElement) || closestTo(event, "button") || !button.getClientRects().length) return;
  if (getSelection()?.isCollapsed ?? true) button.click();
}

// The elements of a row: its line, and its rest where that is open.
/** @type {(grid: Grid, row: any) => HTMLElement[]} */
export function rowLine(grid, row) {
  const line = remembered(grid.lines, row, () => newLine(grid, row));
  showRanks(grid, line);
  const isOpen = grid.opened.has(nameIn(grid, row));
  line.querySelector("button.more-of")?.setAttribute("aria-expanded", String(isOpen));
  return isOpen ? [line, restOfRow(grid, row)] : [line];
}

/** @type {(grid: Grid, row: any) => HTMLElement} */
function newLine(grid, row) {
  const line = element("tr", {}, grid.tableData.cells(row));
  if (grid.tableData.columns.length - 1 > FEW) line.firstElementChild?.append(openButton(grid, row));
  return markedMine(grid.tableData, row, line);
}

/** @type {(grid: Grid, row: any) => HTMLElement} */
function openButton(grid, row) {
  const name = nameIn(grid, row);
  const label = name === null ? "The rest of the sum" : `The rest of ${visible(String(name))}`;
  const button = element("button", { type: "button", class: "more-of", "data-of": name, "aria-label": label });
  button.addEventListener("click", () => toggleRow(grid, row));
  return button;
}

/** @type {(grid: Grid, row: any) => void} */
function toggleRow(grid, row) {
  const name = nameIn(grid, row);
  if (!grid.opened.delete(name)) grid.opened.add(name);
  const [line, rest] = rowLine(grid, row);
  if (line.nextElementSibling?.matches(".rest")) line.nextElementSibling.remove();
  if (rest) line.after(rest);
}

// All of a row but its name; what its line shows is left out by the style sheet.
/** @type {(grid: Grid, row: any) => HTMLElement} */
function restOfRow(grid, row) {
  const { columns } = grid.tableData;
  const parts = columns
    .filter((column) => column.kind !== "name")
    .map((column) =>
      element("div", { "data-rank": grid.ranks.get(column.key) }, [
        element("dt", {}, fullLabel(column)),
        element("dd", {}, column.text?.(row)),
      ]),
    );
  const cell = element("td", { colspan: columns.length }, element("dl", {}, parts));
  return element("tr", { class: "rest" }, cell);
}

// Marks the cells of a line with what comes first.
/** @type {(grid: Grid, line: Element) => void} */
export function showRanks(grid, line) {
  grid.tableData.columns.forEach((column, place) => {
    const rank = grid.ranks.get(column.key);
    const cell = line.children[place];
    if (rank && cell.getAttribute("data-rank") !== String(rank)) cell.setAttribute("data-rank", String(rank));
    cell.toggleAttribute("data-wide", column.wide ?? false);
  });
}

// Gives the focus back to the button of the row that has it now, once rows were put in place.
/** @type {(grid: Grid) => () => void} */
export function focusKept(grid) {
  const held = document.activeElement;
  if (!(held instanceof HTMLElement) || !held.matches("button.more-of") || !grid.table.contains(held)) return () => {};
  return () => {
    const buttons = /** @type {NodeListOf<HTMLElement>} */ (grid.table.querySelectorAll("button.more-of"));
    [...buttons].find((button) => button.dataset.of === held.dataset.of)?.focus({ preventScroll: true });
  };
}

// The name in a row; null in that of sums.
/** @type {(grid: Grid, row: any) => Value} */
function nameIn(grid, row) {
  return grid.tableData.columns.find((column) => column.kind === "name")?.value(row) ?? null;
}
