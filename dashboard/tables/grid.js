// A table on the page that can be sorted, filtered and taken away. It is brought up to date in place, so that focus,
// scroll and what is typed stay.

import { element, fill } from "../shared/dom.js";
import { choiceOf, chosenRows, csvOf, nextSort, plainChoice, textsOf, tsvOf } from "./table_data.js";

const FIRST_ROWS = 25;
const SAID_MS = 4000;
const choices = new Map(); // name of a table -> what the reader chose for it
const grids = new WeakMap(); // place -> its parts
const made = []; // all of them
let changed = () => {};
let isPrinting = false;

// `told` is called when the reader chose something.
export function startGrids(told) {
  changed = told;
  addEventListener("beforeprint", () => showForPrint(true));
  addEventListener("afterprint", () => showForPrint(false));
}

// Paper has no button for the rest.
function showForPrint(printing) {
  isPrinting = printing;
  made.forEach(showRows);
}

// What the reader chose for all tables, as texts by key: {"totals-sort": "NCPUS"}; and back.
export function tableState() {
  const state = {};
  for (const [name, choice] of choices) {
    for (const [key, text] of Object.entries(textsOf(choice))) state[`${name}-${key}`] = text;
  }
  return state;
}

export function setTableState(state) {
  for (const name of choices.keys()) {
    choices.set(name, choiceOf({ sort: state[`${name}-sort`], filter: state[`${name}-filter`] }));
  }
}

// `name` is that of a table of the page, before anything of it is shown.
export function knowTable(name) {
  if (!choices.has(name)) choices.set(name, plainChoice());
}

// Shows {name, title, span, note, columns, rows, total, cells, file} in `place`; `cells(row)` are a row's elements, of
// `total` too. Without rows the note stands alone.
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
  for (const part of [grid.tools, grid.scroll]) part.hidden = !tableData.rows.length;
  showRows(grid);
}

function newGrid(place, { name }) {
  const grid = {
    name,
    all: false,
    tableData: null,
    title: element("span"),
    span: element("small"),
    note: element("p", { class: "quiet" }),
  };
  grid.said = element("span", { class: "quiet", role: "status" });
  grid.filter = element("input", { type: "search", placeholder: "filter users" });
  grid.filter.addEventListener("input", () => {
    choose(grid, { filter: grid.filter.value });
    const found = grid.body.querySelectorAll("tr:not(.none)").length;
    sayOf(grid, grid.filter.value ? `${found} of ${grid.tableData.rows.length}` : "");
  });
  grid.copy = button("Copy", () => copyTable(grid));
  grid.save = button("CSV", () => saveTable(grid));
  grid.tools = element("div", { class: "grid-tools" }, [grid.filter, grid.copy, grid.save, grid.said]);
  [grid.head, grid.body, grid.foot] = ["thead", "tbody", "tfoot"].map((part) => element(part));
  grid.table = element("table", {}, [grid.head, grid.body, grid.foot]);
  // it scrolls inside itself, so it must be within reach of the keyboard
  grid.scroll = element("div", { class: "scroll", tabindex: "0", role: "region" }, grid.table);
  grid.more = button("", () => {
    grid.all = true;
    grid.scroll.focus({ preventScroll: true }); // the button goes
    showRows(grid);
  });
  fill(place, [element("h3", {}, [grid.title, grid.span]), grid.tools, grid.note, grid.scroll, grid.more]);
  return grid;
}

// A table is called otherwise when it shows another stretch of time, and so is all that belongs to it.
function showTitle(grid, title) {
  grid.title.textContent = title;
  const labels = [
    [grid.filter, `Users in “${title}”`],
    [grid.table, title],
    [grid.scroll, title],
    [grid.copy, `Copy “${title}” as tab-separated values`],
    [grid.save, `Download “${title}” as CSV`],
  ];
  for (const [part, label] of labels) part.setAttribute("aria-label", label);
  for (const part of [grid.copy, grid.save]) part.title = part.getAttribute("aria-label");
}

function choose(grid, choice) {
  choices.set(grid.name, { ...choices.get(grid.name), ...choice });
  showRows(grid);
  changed();
}

function showRows(grid) {
  const { tableData } = grid;
  const choice = choices.get(grid.name);
  if (grid.filter.value !== choice.filter) grid.filter.value = choice.filter;
  const rows = chosenRows(tableData.columns, tableData.rows, choice);
  const shown = grid.all || choice.filter || isPrinting ? rows : rows.slice(0, FIRST_ROWS);
  showHead(grid, choice);
  fill(
    grid.body,
    shown.map((row) => lineOf(grid, row)),
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
  fill(grid.foot, tableData.total ? element("tr", {}, tableData.cells(tableData.total)) : []);
  grid.more.hidden = shown.length === rows.length;
  grid.more.textContent = `Show all ${rows.length}`;
}

function lineOf(grid, row) {
  if (!grid.lines.has(row)) grid.lines.set(row, element("tr", {}, grid.tableData.cells(row)));
  return grid.lines.get(row);
}

function showHead(grid, choice) {
  const { columns } = grid.tableData;
  const labels = columns.map((column) => column.label).join("\n");
  if (grid.labels !== labels) {
    const focused = document.activeElement?.closest?.("th")?.dataset.key;
    const heads = columns.map((column) => {
      const sort = button(column.label, () => choose(grid, nextSort(choices.get(grid.name), column)), column.full);
      return element("th", { scope: "col", class: column.kind, "data-key": column.key }, sort);
    });
    const hadFocus = grid.head.contains(document.activeElement);
    fill(grid.head, element("tr", {}, heads));
    grid.labels = labels;
    if (hadFocus) heads.find((head) => head.dataset.key === focused)?.firstChild.focus();
  }
  for (const head of grid.head.querySelectorAll("th")) {
    const isSorted = head.dataset.key === choice.sort;
    head.setAttribute("aria-sort", isSorted ? (choice.down ? "descending" : "ascending") : "none");
  }
}

async function copyTable(grid) {
  const text = tsvOf(
    grid.tableData.columns,
    chosenRows(grid.tableData.columns, grid.tableData.rows, choices.get(grid.name)),
  );
  sayOf(grid, (await copied(text)) ? "copied" : "the browser did not let the page copy");
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedTheOldWay(text);
  }
}

// Where a page has no secure address the newer way is closed.
function copiedTheOldWay(text) {
  const field = element("textarea", { class: "unseen", "aria-hidden": "true" });
  field.value = text;
  const before = document.activeElement;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  before?.focus();
  return done;
}

function saveTable(grid) {
  const { columns, rows, file } = grid.tableData;
  const text = csvOf(columns, chosenRows(columns, rows, choices.get(grid.name)));
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  element("a", { href: address, download: file }).click();
  setTimeout(() => URL.revokeObjectURL(address), SAID_MS);
}

function sayOf(grid, words) {
  clearTimeout(grid.until);
  grid.said.textContent = words;
  grid.until = setTimeout(() => (grid.said.textContent = ""), SAID_MS);
}

function button(label, pressed, title) {
  const made = element("button", { type: "button", title, "aria-label": title }, label);
  made.addEventListener("click", pressed);
  return made;
}
