// The reader's own rows: they stand first, whatever a table is sorted by, and are marked.

import { element } from "../common/dom.js";

let mine = /** @type {string | null} */ (null);

// `user` is who the reader is, from now on; null for nobody.
/** @type {(user: string | null) => void} */
export function setMine(user) {
  mine = user;
}

/** @type {(tableData: TableData, row: any) => boolean} */
function isOfReader({ columns }, row) {
  const who = columns.find((column) => column.key === "user");
  return mine !== null && who?.value(row) === mine;
}

/** @type {(tableData: TableData, rows: any[]) => any[]} */
export function firstMine(tableData, rows) {
  if (mine === null) return rows;
  const isFirst = (/** @type {any} */ row) => isOfReader(tableData, row);
  return [...rows.filter(isFirst), ...rows.filter((row) => !isFirst(row))];
}

// Marks the line of a row, if it is the reader's.
/** @type {(tableData: TableData, row: any, line: HTMLElement) => HTMLElement} */
export function markedMine(tableData, row, line) {
  if (!isOfReader(tableData, row)) return line;
  line.classList.add("mine");
  line.querySelector("bdi")?.after(element("small", {}, " (you)"));
  return line;
}
