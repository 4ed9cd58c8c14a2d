// A table of users as data: rows in the order and with the words that the reader asked for, and as text to take away.
//
// A column is {key, label, kind, value(row), text(row), full, head, taken(row)}: `value` is what is sorted by and
// taken away, null where it is not known, `text` what is shown. `full` is the label where no other column stands beside
// it to explain it. What is taken away has `head` above it, which names the unit, and `taken` where that differs from
// `value`, such as a time. Kind "name" is the user's.

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
        visible(String(name?.value(row) ?? ""))
          .toLowerCase()
          .includes(wanted),
      )
    : [...rows];
  const by = columns.find((column) => column.key === choice.sort);
  if (!by) return some;
  return some.sort((one, other) => compared(by.value(one), by.value(other), choice.down ? -1 : 1));
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
  const cell = (/** @type {Value} */ value) =>
    typeof value === "string" ? guarded(visible(value)) : numberText(value);
  return linesOf(columns, rows, cell)
    .map((line) => line.join("\t"))
    .join("\n");
}

// As a CSV file, RFC 4180; names as the program's own table has them.
/** @type {(columns: Column[], rows: any[]) => string} */
export function csvOf(columns, rows) {
  const cell = (/** @type {Value} */ value) =>
    typeof value === "string" ? inQuotes(escaped(guarded(value))) : numberText(value);
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

/** @type {(columns: Column[], rows: any[], cell: (value: Value) => string) => string[][]} */
function linesOf(columns, rows, cell) {
  return [
    columns.map((column) => cell(column.head ?? fullLabel(column))),
    ...rows.map((row) => columns.map((column) => cell((column.taken ?? column.value)(row)))),
  ];
}

// What is not known is no number, least of all one that a spreadsheet would sum up.
/** @type {(value: number | null) => string} */
function numberText(value) {
  return value === null || !Number.isFinite(value) ? "" : String(value);
}

// What is not known comes last, whichever way rows are sorted.
/** @type {(one: Value, other: Value, sign: number) => number} */
function compared(one, other, sign) {
  if (one === null || other === null) return Number(one === null) - Number(other === null);
  if (typeof one === "number" && typeof other === "number") return sign * (one - other);
  return sign * String(one).localeCompare(String(other), "en");
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
