// Columns that several tables have; see table_data.js for what a column is.

import { amount, percent } from "../common/format.js";
import { own } from "../common/report.js";
import { labelOf, unitOf } from "../common/resources.js";

/** @type {() => Column} */
export function userColumn() {
  return { key: "user", label: "User", kind: "name", value: (row) => row.user };
}

/** @type {(key: string, label: string, value: (row: any) => number | null, more?: Partial<Column>) => Column} */
export function numberColumn(key, label, value, more = {}) {
  return { key, label, kind: "number", value, text: (row) => amount(value(row) ?? NaN), ...more };
}

// How much of a resource a row has; the head of what is taken away says what for, and the unit, as in "Memory held now
// (GiB)".
/** @type {(data: Data, key: string, words: string, value: (row: any) => number | null) => Column} */
export function resourceColumn(data, key, words, value) {
  const { name, unit } = unitOf(data, key);
  const isNamed = name.toLowerCase().includes(unit.toLowerCase());
  return numberColumn(key, labelOf(data, key), value, { head: `${name} ${words}${isNamed ? "" : ` (${unit})`}` });
}

// What rows with `hours` came to of a resource, and which share of `whole` that is.
/** @type {(data: Data, key: string, whole: number) => Column[]} */
export function hoursColumns(data, key, whole) {
  const value = (/** @type {{ hours: Amounts }} */ row) => own(row.hours, key, 0);
  const hours = numberColumn(key, unitOf(data, key).hours, value);
  const share = numberColumn(`share ${key}`, "share", (row) => (whole ? value(row) / whole : null), {
    full: `share of ${hours.label}`,
    head: `share of ${hours.label} (fraction)`,
    kind: "share",
    text: (row) => percent(value(row), whole),
  });
  return [hours, share];
}
