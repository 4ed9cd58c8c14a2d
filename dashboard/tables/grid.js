// A table on the page that can be sorted, filtered and taken away. It is brought up to date in place, so that focus,
// scroll and what is typed stay.

import { element, fill } from "../common/dom.js";
import { amount } from "../common/format.js";
import { focusKept, rowLine, showRanks, startRows } from "./grid_rows.js";
import { firstMine } from "./mine.js";
import {
  choiceOf,
  chosenRows,
  csvOf,
  fullLabel,
  nextSort,
  orderWords,
  plainChoice,
  ranksOf,
  sortedBy,
  sortIn,
  textsOf,
  tsvOf,
} from "./table_data.js";

const FIRST_ROWS = 25;
const PRINTED_ROWS = 8; // what a meeting needs, on two sheets whatever the size of the group
const SAID_MS = 4000;
/** @type {Map<string, Choice>} */
const choices = new Map(); // name of a table -> what the reader chose for it
/** @type {WeakMap<HTMLElement, Grid>} */
const grids = new WeakMap(); // place -> its parts
/** @type {Grid[]} */
const made = []; // all of them
let changed = () => {};
let isPrinting = false;

// `told` is called when the reader chose something.
/** @type {(told: () => void) => void} */
export function startGrids(told) {
  changed = told;
  addEventListener("beforeprint", () => showForPrint(true));
  addEventListener("afterprint", () => showForPrint(false));
}

// Paper has room for the largest, or for what the reader chose to see.
/** @type {(printing: boolean) => void} */
function showForPrint(printing) {
  isPrinting = printing;
  made.forEach(showRows);
}

// What the reader chose for all tables, as texts by key: {"totals-sort": "NCPUS"}; and back.
/** @type {() => Texts} */
export function tableState() {
  /** @type {Texts} */
  const state = {};
  for (const [name, choice] of choices) {
    for (const [key, text] of Object.entries(textsOf(choice))) state[`${name}-${key}`] = text;
  }
  return state;
}

/** @type {(state: Texts) => void} */
export function setTableState(state) {
  for (const name of choices.keys()) {
    choices.set(name, choiceOf({ sort: state[`${name}-sort`], filter: state[`${name}-filter`] }));
  }
}

// `name` is that of a table of the page, before anything of it is shown.
/** @type {(name: string) => void} */
export function knowTable(name) {
  if (!choices.has(name)) choices.set(name, plainChoice());
}

// Shows {name, title, span, note, columns, rows, sort, why, total, cells, file} in `place`; `cells(row)` are a row's
// elements, of `total` too. Without rows the note stands alone.
/** @type {(place: HTMLElement, tableData: TableData) => void} */
export function showGrid(place, tableData) {
  const grid = grids.get(place) ?? newGrid(place, tableData);
  if (!grids.has(place)) made.push(grid);
  grids.set(place, grid);
  grid.tableData = tableData;
  grid.lines = new Map(); // row -> its element, so that sorting and typing make none anew
  showTitle(grid, tableData.title);
  grid.span.textContent = tableData.span ? ` ${tableData.span}` : "";
  grid.note.textContent = tableData.note ?? "";
  grid.note.hidden = !tableData.note;
  for (const part of [grid.tools, grid.order, grid.scroll]) part.hidden = !tableData.rows.length;
  showRows(grid);
}

/** @type {(place: HTMLElement, tableData: TableData) => Grid} */
function newGrid(place, tableData) {
  const parts = {
    title: element("span"),
    span: element("small"),
    note: element("p", { class: "quiet" }),
    order: element("p", { class: "quiet order" }),
    sortBy: element("select"),
    said: element("span", { class: "quiet", role: "status" }),
    filter: element("input", { type: "search", placeholder: "filter users" }),
    copy: button("Copy", () => copyTable(grid)),
    save: button("CSV", () => saveTable(grid)),
    more: button("", () => showAll(grid)),
    head: element("thead"),
    body: element("tbody"),
    foot: element("tfoot"),
  };
  const tools = element("div", { class: "grid-tools" }, [
    parts.filter,
    element("label", { class: "sort-by" }, ["Sort by ", parts.sortBy]),
    parts.copy,
    parts.save,
    parts.said,
  ]);
  const table = element("table", { class: "grid" }, [parts.head, parts.body, parts.foot]);
  // it scrolls inside itself, so it must be within reach of the keyboard
  const scroll = element("div", { class: "scroll", tabindex: "0", role: "region" }, table);
  /** @type {Grid} */
  const grid = {
    ...parts,
    name: tableData.name,
    all: false,
    tableData,
    lines: new Map(),
    labels: null,
    opened: new Set(),
    ranks: new Map(),
    until: 0,
    tools,
    table,
    scroll,
  };
  grid.filter.addEventListener("input", () => {
    choose(grid, { filter: grid.filter.value });
    const found = grid.body.querySelectorAll("tr:not(.none, .rest)").length;
    sayOf(grid, grid.filter.value ? `${amount(found)} of ${amount(grid.tableData.rows.length)}` : "");
  });
  grid.sortBy.addEventListener("change", () => sortAsChosen(grid));
  startRows(grid);
  const heading = element("h3", {}, [grid.title, grid.span]);
  fill(place, [heading, grid.tools, grid.note, grid.order, grid.scroll, grid.more]);
  return grid;
}

/** @type {(grid: Grid) => void} */
function sortAsChosen(grid) {
  const column = grid.tableData.columns.find(({ key }) => key === grid.sortBy.value);
  if (column) choose(grid, sortedBy(column, grid.tableData.sort));
}

/** @type {(grid: Grid) => void} */
function showAll(grid) {
  grid.all = true;
  grid.scroll.focus({ preventScroll: true }); // the button goes
  showRows(grid);
}

// A table is called otherwise when it shows another stretch of time, and so is all that belongs to it.
/** @type {(grid: Grid, title: string) => void} */
function showTitle(grid, title) {
  grid.title.textContent = title;
  /** @type {[HTMLElement, string][]} */
  const labels = [
    [grid.filter, `Users in “${title}”`],
    [grid.sortBy, `Sort “${title}” by`],
    [grid.table, title],
    [grid.scroll, title],
    [grid.copy, `Copy “${title}” as tab-separated values`],
    [grid.save, `Download “${title}” as CSV`],
  ];
  for (const [part, label] of labels) part.setAttribute("aria-label", label);
  for (const part of [grid.copy, grid.save]) part.title = part.getAttribute("aria-label") ?? "";
}

/** @type {(grid: Grid) => Choice} */
function choiceIn(grid) {
  return choices.get(grid.name) ?? plainChoice();
}

/** @type {(grid: Grid) => Sort} */
function sortOfGrid({ tableData, name }) {
  return sortIn(tableData.columns, choices.get(name) ?? plainChoice(), tableData.sort);
}

/** @type {(grid: Grid) => any[]} */
function rowsIn(grid) {
  const { columns, rows } = grid.tableData;
  return firstMine(grid.tableData, chosenRows(columns, rows, { ...choiceIn(grid), ...sortOfGrid(grid) }));
}

/** @type {(grid: Grid, choice: Partial<Choice>) => void} */
function choose(grid, choice) {
  choices.set(grid.name, { ...choiceIn(grid), ...choice });
  showRows(grid);
  changed();
}

/** @type {(grid: Grid) => void} */
function showRows(grid) {
  const { tableData } = grid;
  const choice = choiceIn(grid);
  if (grid.filter.value !== choice.filter) grid.filter.value = choice.filter;
  const rows = rowsIn(grid);
  const shown = grid.all || choice.filter ? rows : rows.slice(0, isPrinting ? PRINTED_ROWS : FIRST_ROWS);
  showHead(grid);
  const keepFocus = focusKept(grid);
  fill(
    grid.body,
    shown.flatMap((row) => rowLine(grid, row)),
  );
  if (!rows.length && tableData.rows.length) {
    grid.body.append(
      element(
        "tr",
        { class: "none" },
        element("td", { class: "nobody", colspan: String(tableData.columns.length) }, "no such user"),
      ),
    );
  }
  fill(grid.foot, tableData.total ? rowLine(grid, tableData.total) : []);
  keepFocus();
  grid.more.hidden = shown.length === rows.length;
  grid.more.textContent = `Show all ${amount(rows.length)}`;
  grid.order.dataset.printed = grid.more.hidden ? "" : `The first ${shown.length} of ${amount(rows.length)}.`;
}

/** @type {(grid: Grid) => void} */
function showHead(grid) {
  const { columns, sort: plain, why } = grid.tableData;
  const now = sortOfGrid(grid);
  const labels = columns.map((column) => column.label).join("\n");
  if (grid.labels !== labels) {
    const focused = document.activeElement?.closest?.("th")?.dataset.key;
    const heads = columns.map((column) => {
      const sort = button(
        column.label,
        () => choose(grid, nextSort(sortOfGrid(grid), column, grid.tableData.sort)),
        column.full,
      );
      return element("th", { scope: "col", class: column.kind, "data-key": column.key }, sort);
    });
    const hadFocus = grid.head.contains(document.activeElement);
    fill(grid.head, element("tr", {}, heads));
    fill(
      grid.sortBy,
      columns.map((column) => element("option", { value: column.key }, fullLabel(column))),
    );
    grid.labels = labels;
    if (hadFocus) {
      heads
        .find((head) => head.dataset.key === focused)
        ?.querySelector("button")
        ?.focus();
    }
  }
  grid.ranks = ranksOf(columns, now.sort, plain);
  grid.sortBy.value = now.sort ?? "";
  grid.order.textContent = orderWords(columns, now, now.sort !== null && choiceIn(grid).sort !== now.sort, why);
  if (grid.head.firstElementChild) showRanks(grid, grid.head.firstElementChild);
  for (const head of grid.head.querySelectorAll("th")) {
    const isSorted = head.dataset.key === now.sort;
    head.setAttribute("aria-sort", isSorted ? (now.down ? "descending" : "ascending") : "none");
  }
}

/** @type {(grid: Grid) => Promise<void>} */
async function copyTable(grid) {
  const text = tsvOf(grid.tableData.columns, rowsIn(grid));
  sayOf(grid, (await copied(text)) ? "copied" : "the browser did not let the page copy");
}

/** @type {(text: string) => Promise<boolean>} */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedTheOldWay(text);
  }
}

// Where a page has no secure address the newer way is closed.
/** @type {(text: string) => boolean} */
function copiedTheOldWay(text) {
  const field = element("textarea", { class: "unseen", "aria-hidden": "true" });
  field.value = text;
  const before = document.activeElement;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (before instanceof HTMLElement) before.focus();
  return done;
}

/** @type {(grid: Grid) => void} */
function saveTable(grid) {
  const { columns, file } = grid.tableData;
  const text = csvOf(columns, rowsIn(grid));
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  element("a", { href: address, download: file }).click();
  setTimeout(() => URL.revokeObjectURL(address), SAID_MS);
}

/** @type {(grid: Grid, words: string) => void} */
function sayOf(grid, words) {
  clearTimeout(grid.until);
  grid.said.textContent = words;
  grid.until = setTimeout(() => (grid.said.textContent = ""), SAID_MS);
}

/** @type {(label: string, pressed: () => void, title?: string) => HTMLButtonElement} */
function button(label, pressed, title) {
  const made = element("button", { type: "button", title, "aria-label": title }, label);
  made.addEventListener("click", pressed);
  return made;
}
