// What the table of now and the table of totals hold.

import { swatch } from "./charts.js";
import { element } from "./dom.js";
import { amount, counted, percent, shownName, visible, zoned } from "./format.js";
import { PICTURED, isTracked, nameOf, nowRows, own, unitOf } from "./model.js";
import { wholeOf } from "./range.js";
import { totalsIn } from "./totals.js";

const ELSEWHEN = "These data do not tell when runs ended: ended runs are counted only when everything is shown.";

// Both take a scene and give what `showGrid` takes; they touch no page.
export function nowSheet({ data, layers }) {
  const rows = nowRows(data).map(({ user, amounts }) => ({ user, amounts }));
  const keys = PICTURED.filter((key) => isTracked(data, key));
  const label = (key) => (key === "MEMORY" ? `${nameOf(data, key)} (${unitOf(data, key).unit})` : nameOf(data, key));
  const columns = [userColumn(), ...keys.map((key) => numberColumn(key, label(key), (row) => own(row.amounts, key, 0)))];
  return {
    name: "now", title: "In use now", note: rows.length ? null : "Nobody runs anything now.", columns, rows,
    total: { user: null, users: rows.length, amounts: data.now.total }, cells: cellsOf(columns, layers), file: fileOf(data, "now"),
  };
}

export function totalsSheet({ data, layers, range, outside, zone }) {
  const { rows, total, endedElsewhen } = totalsIn(data, range);
  const keys = PICTURED.filter((key) => isTracked(data, key));
  const states = Object.keys(total.ended).sort((one, other) => total.ended[other] - total.ended[one] || (one < other ? -1 : 1));
  const columns = [
    userColumn(),
    ...keys.flatMap((key) => hoursColumns(data, key, own(total.hours, key, 0))),
    ...states.map((state) => numberColumn(`ended ${state}`, `runs ${stateName(state)}`, (row) => own(row.ended, state, 0))),
  ];
  const { from, to } = range ?? wholeOf(data);
  const span = outside ? null : `${zoned(from, zone)} to ${zoned(to, zone)}`;
  const none = outside ? "There are no data in this range of time." : range ? "No jobs in this range of time." : "No jobs in this window.";
  return {
    name: "totals", title: range ? "Totals of the range" : "Totals of the window", span, columns, rows,
    note: rows.length ? (endedElsewhen ? ELSEWHEN : null) : none,
    total: { user: null, users: rows.length, ...total }, cells: cellsOf(columns, layers), file: fileOf(data, "totals"),
  };
}

function userColumn() {
  return { key: "user", label: "User", kind: "name", value: (row) => row.user };
}

function numberColumn(key, label, value) {
  return { key, label, kind: "number", value, text: (row) => amount(value(row)) };
}

function hoursColumns(data, key, whole) {
  const hours = numberColumn(key, unitOf(data, key).hours, (row) => own(row.hours, key, 0));
  const share = { key: `share ${key}`, label: "share", full: `share of ${hours.label}`, kind: "share", value: (row) => (whole ? hours.value(row) / whole : 0) };
  return [hours, { ...share, text: (row) => percent(hours.value(row), whole) }];
}

// A state of Slurm's, as it stands after "runs": "completed", "out of memory".
function stateName(state) {
  return shownName(state).toLowerCase().replaceAll("_", " ");
}

function cellsOf(columns, layers) {
  const colours = new Map(layers.map((layer) => [layer.name, layer.colour]));
  return (row) => columns.map((column) => {
    if (column.kind !== "name") return element("td", { class: column.kind }, column.text(row));
    return row.user === null ? element("th", { scope: "row" }, counted(row.users, "user")) : userCell(row.user, colours);
  });
}

// The user's colour in the charts stands beside the name; who has no area of their own has the others' grey.
export function userCell(user, colours) {
  const title = visible(user); // in full: names that are cut often differ at their end
  return element("th", { scope: "row", title }, [swatch(colours.get(user) ?? colours.get(null)), element("bdi", {}, shownName(user))]);
}

// The name of a file to save, of letters that any system takes.
function fileOf(data, what) {
  return `${data.metadata.qos.replace(/[^\w.-]+/g, "_").replace(/^\.+/, "")}-${what}.csv`;
}
