// What the table of now and the table of totals hold.

import { element } from "../../common/dom.js";
import { shownName, zoned } from "../../common/format.js";
import { peopleWords, personName } from "../../common/others.js";
import { binsIn } from "../../common/range.js";
import { own } from "../../common/report.js";
import { trackedOf } from "../../common/resources.js";
import { shortOf, shortWords } from "../../common/short.js";
import { coloursOf, userCell } from "../../tables/cells.js";
import { hoursColumns, numberColumn, resourceColumn, userColumn } from "../../tables/columns.js";
import { exportName } from "../../tables/export_name.js";
import { nowRows } from "./now.js";
import { totalsIn } from "./totals.js";

const ELSEWHEN = "These data do not tell when runs ended: ended runs are counted only when everything is shown.";

// Both take a viewModel and give what `showGrid` takes; they touch no page.
/** @type {(viewModel: ViewModel) => TableData} */
export function nowTable({ data, stack, zone }) {
  const rows = nowRows(data);
  const columns = [
    userColumn(),
    ...trackedOf(data).map((key) => resourceColumn(data, key, "held now", (row) => own(row.amounts, key, 0))),
  ];
  return {
    name: "now",
    title: "In use now",
    note: rows.length ? null : "Nobody runs anything now.",
    columns,
    rows,
    ...byShort(data),
    total: { user: null, users: rows.map((row) => row.user), amounts: data.now.total },
    cells: cellsOf(columns, stack, data, "now"),
    file: exportName("usage-now", data, zone, data.metadata.last_updated_epoch),
  };
}

/** @type {(viewModel: ViewModel) => TableData} */
export function totalsTable({ data, stack, range, outside, zone }) {
  const { rows, total, endedElsewhen } = totalsIn(data, range);
  const states = Object.keys(total.ended).sort(
    (one, other) => total.ended[other] - total.ended[one] || (one < other ? -1 : 1),
  );
  const columns = [
    userColumn(),
    ...trackedOf(data).flatMap((key) => hoursColumns(data, key, own(total.hours, key, 0))),
    ...states.map((state) =>
      numberColumn(`ended ${state}`, `runs ${stateName(state)}`, (row) => own(row.ended, state, 0)),
    ),
  ];
  const { from, to } = binsIn(data, range);
  const span = outside ? null : `${zoned(from, zone)} to ${zoned(to, zone)}`;
  const none = outside
    ? "There are no data in this range of time."
    : range
      ? "No jobs in this range of time."
      : "No jobs in this window.";
  return {
    name: "totals",
    title: range ? "Totals of the range" : "Totals of the window",
    span,
    columns,
    rows,
    ...byShort(data),
    note: rows.length ? (endedElsewhen ? ELSEWHEN : null) : none,
    total: { user: null, users: rows.map((row) => row.user), ...total },
    cells: cellsOf(columns, stack, data, range ? null : "totals"),
    file: exportName("usage-totals", data, zone, from, to),
  };
}

// Tables of resources are sorted by what is short.
/** @type {(data: Data) => { sort: string, why: string }} */
function byShort(data) {
  const sort = shortOf(data);
  return { sort, why: shortWords(data, sort) };
}

// A state of Slurm's, as it stands after "runs": "completed", "out of memory".
/** @type {(state: string) => string} */
function stateName(state) {
  return shownName(state).toLowerCase().replaceAll("_", " ");
}

/** @type {(columns: Column[], stack: Layer[], data: Data, table: string | null) => (row: any) => HTMLElement[]} */
function cellsOf(columns, stack, data, table) {
  const colours = coloursOf(stack);
  return (row) =>
    columns.map((column) => {
      if (column.kind !== "name") return element("td", { class: column.kind }, column.text?.(row));
      return row.user === null
        ? element("th", { scope: "row" }, peopleWords(data, row.users, table))
        : userCell(row.user, colours, personName(data, row.user, table));
    });
}
