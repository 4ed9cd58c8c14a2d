// Columns that several tables have; see table_data.js for what a column is.

import { amount, percent } from "../common/format.js";
import { own } from "../common/report.js";
import { unitOf } from "../common/resources.js";

/** @type {() => Column} */
export function userColumn() {
  return { key: "user", label: "User", kind: "name", value: (row) => row.user };
}

/** @type {(key: string, label: string, value: (row: any) => number, more?: Partial<Column>) => Column} */
export function numberColumn(key, label, value, more = {}) {
  return { key, label, kind: "number", value, text: (row) => amount(value(row)), ...more };
}

// What rows with `hours` came to of a resource, and which share of `whole` that is.
/** @type {(data: Data, key: string, whole: number) => Column[]} */
export function hoursColumns(data, key, whole) {
  const value = (/** @type {{ hours: Amounts }} */ row) => own(row.hours, key, 0);
  const hours = numberColumn(key, unitOf(data, key).hours, value);
  const share = numberColumn(`share ${key}`, "share", (row) => (whole ? value(row) / whole : 0), {
    full: `share of ${hours.label}`,
    kind: "share",
    text: (row) => percent(value(row), whole),
  });
  return [hours, share];
}
