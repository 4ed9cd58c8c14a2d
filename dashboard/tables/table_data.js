// A table of users as data: rows in the order and with the words that the reader asked for, and as text to take away.
//
// A column is {key, label, kind, value(row), text(row), full}: `value` is what is sorted by and taken away, `text` what
// is shown. `full` is the label where no other column stands beside it to explain it. Kind "name" is the user's.

import { visible } from "../common/format.js";

/** @type {Choice} */
const AS_IT_CAME = { sort: null, down: true, filter: "" };
const FORMULA = /^[=+\-@\t\r]/; // a spreadsheet would compute it

/** @type {(changes?: Partial<Choice>) => Choice} */
export function plainChoice(changes = {}) {
  return { ...AS_IT_CAME, ...changes };
}

// The rows as chosen, {sort: key of a column or null, down, filter}; rows that are alike stay in their order.
/** @type {(columns: Column[], rows: any[], choice: Choice) => any[]} */
export function chosenRows(columns, rows, choice) {
  const wanted = visible(choice.filter).trim().toLowerCase();
  const name = columns.find((column) => column.kind === "name");
  const some = wanted
    ? rows.filter((row) =>
        visible(name?.value(row) ?? "")
          .toLowerCase()
          .includes(wanted),
      )
    : [...rows];
  const by = columns.find((column) => column.key === choice.sort);
  if (!by) return some;
  const sign = choice.down ? -1 : 1;
  return some.sort((one, other) => sign * compared(by.value(one), by.value(other)));
}

// What a click on a column's head asks for: numbers from the largest, names from A; then the other way; then as it
// came.
/** @type {(choice: Choice, column: Column) => { sort: string | null, down: boolean }} */
export function nextSort(choice, column) {
  const down = column.kind !== "name";
  if (choice.sort !== column.key) return { sort: column.key, down };
  return choice.down === down ? { sort: column.key, down: !down } : { sort: null, down: true };
}

// As tab-separated values, for a spreadsheet's clipboard.
/** @type {(columns: Column[], rows: any[]) => string} */
export function tsvOf(columns, rows) {
  const cell = (/** @type {string | number} */ value) =>
    typeof value === "string" ? guarded(visible(value)) : String(value);
  return linesOf(columns, rows, cell)
    .map((line) => line.join("\t"))
    .join("\n");
}

// As a CSV file, RFC 4180; names as the program's own table has them.
/** @type {(columns: Column[], rows: any[]) => string} */
export function csvOf(columns, rows) {
  const cell = (/** @type {string | number} */ value) =>
    typeof value === "string" ? inQuotes(escaped(guarded(value))) : String(value);
  return linesOf(columns, rows, cell)
    .map((line) => `${line.join(",")}\r\n`)
    .join("");
}

// The choice as texts for an address, without what is plain; and back.
/** @type {(choice: Choice) => Texts} */
export function textsOf(choice) {
  const texts = {};
  if (choice.sort) texts.sort = `${choice.sort}${choice.down ? "" : "-up"}`;
  if (choice.filter) texts.filter = choice.filter;
  return texts;
}

/** @type {(texts: { sort?: string, filter?: string }) => Choice} */
export function choiceOf(texts) {
  const sort = texts.sort ?? "";
  const up = sort.endsWith("-up");
  return plainChoice({ sort: (up ? sort.slice(0, -3) : sort) || null, down: !up, filter: texts.filter ?? "" });
}

/** @type {(column: Column) => string} */
export function fullLabel({ full, label }) {
  return full ?? label;
}

/** @type {(columns: Column[], rows: any[], cell: (value: string | number) => string) => string[][]} */
function linesOf(columns, rows, cell) {
  return [
    columns.map((column) => cell(fullLabel(column))),
    ...rows.map((row) => columns.map((column) => cell(column.value(row)))),
  ];
}

/** @type {(one: string | number, other: string | number) => number} */
function compared(one, other) {
  if (typeof one === "number" && typeof other === "number") return one - other;
  return String(one).localeCompare(String(other), "en");
}

/** @type {(text: string) => string} */
function guarded(text) {
  return FORMULA.test(text) ? `'${text}` : text;
}

// Half a character has no bytes in UTF-8: names that differ in it alone must not become one.
/** @type {(text: string) => string} */
function escaped(text) {
  return text.replace(/\p{Cs}/gu, (half) => `\\u${half.charCodeAt(0).toString(16)}`);
}

/** @type {(text: string) => string} */
function inQuotes(text) {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
