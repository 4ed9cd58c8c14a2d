// A table of users as data: rows in the order and with the words that the reader asked for, and as text to take away.
//
// A column is {key, label, kind, value(row), text(row), full, head, taken(row)}: `value` is what is sorted by and
// taken away, null where it is not known, `text` what is shown. `full` is the label where no other column stands beside
// it to explain it. What is taken away has `head` above it, which names the unit, and `taken` where that differs from
// `value`, such as a time. Kind "name" is the user's.

import { visible } from "../common/format.js";

/** @type {Choice} */
const AS_IT_CAME = { sort: null, down: true, filter: "" };
const LEAST_RANK = 4;
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

// What rows are sorted by: as chosen, or by `plain`, the key of a column, where nothing is chosen.
/** @type {(columns: Column[], choice: Choice, plain: string | null) => Sort} */
export function sortIn(columns, choice, plain) {
  if (columns.some((column) => column.key === choice.sort)) return { sort: choice.sort, down: choice.down };
  const column = columns.find(({ key }) => key === plain);
  return column ? { sort: column.key, down: beginsDown(column) } : { sort: null, down: true };
}

// What a click on a column's head asks for: numbers from the largest, names from A; then the other way; then as it is
// without a choice. `now` is what rows are sorted by, `plain` the column without a choice.
/** @type {(now: Sort, column: Column, plain?: string | null) => Sort} */
export function nextSort(now, column, plain = null) {
  const down = beginsDown(column);
  if (now.sort !== column.key) return sortedBy(column, plain);
  return now.down === down ? { sort: column.key, down: !down } : { sort: null, down: true };
}

// The choice of a column, its usual end first; of the plain one that is none.
/** @type {(column: Column, plain: string | null) => Sort} */
export function sortedBy(column, plain) {
  return column.key === plain ? { sort: null, down: true } : { sort: column.key, down: beginsDown(column) };
}

/** @type {(column: Column) => boolean} */
function beginsDown(column) {
  return column.kind !== "name";
}

// "Sorted by CPU-hours, largest first." and, without a choice, `why`.
/** @type {(columns: Column[], now: Sort, isPlain: boolean, why: string | null) => string} */
export function orderWords(columns, now, isPlain, why) {
  const column = columns.find(({ key }) => key === now.sort);
  if (!column) return "";
  const [down, up] =
    column.ends ?? (column.kind === "name" ? ["Z to A", "A to Z"] : ["largest first", "smallest first"]);
  return [`Sorted by ${fullLabel(column)}, ${now.down ? down : up}.`, isPlain ? why : null].filter(Boolean).join(" ");
}

// Which columns stand beside the name where there is little room: by key 1, 2, 3 for those that come first, 4 for all
// others. The sorted one is first, a share goes with what it is a share of, then the plain one, then those on the left.
// Of wide ones there is room for one.
/** @type {(columns: Column[], sort: string | null, plain: string | null) => Map<string, number>} */
export function ranksOf(columns, sort, plain) {
  const numbers = columns.filter((column) => column.kind !== "name");
  const keys = numbers.map((column) => column.key);
  const pairOf = (/** @type {string | null} */ key) => {
    const place = keys.findIndex((one) => one === key);
    const mate = numbers[place]?.kind === "share" ? place - 1 : numbers[place + 1]?.kind === "share" ? place + 1 : -1;
    return [place, mate].filter((one) => one >= 0).map((one) => keys[one]);
  };
  const others = numbers.filter((column) => column.kind !== "share").map((column) => column.key);
  const order = [...new Set([...pairOf(sort), ...pairOf(plain).slice(0, 1), ...others, ...keys])];
  const wide = order.filter((key) => numbers.some((column) => column.key === key && column.wide)).slice(1);
  const first = order.filter((key) => !wide.includes(key)).slice(0, LEAST_RANK - 1);
  return new Map(order.map((key) => [key, first.includes(key) ? first.indexOf(key) + 1 : LEAST_RANK]));
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
