// The table of now and the table of totals.

import { swatch } from "./charts.js";
import { element } from "./dom.js";
import { amount, counted, percent, shownName } from "./format.js";
import { PICTURED, isTracked, nameOf, nowRows, own, totalRows, unitOf } from "./model.js";

export function nowTable({ data, layers }) {
  const rows = nowRows(data);
  if (!rows.length) return nothing("In use now", "Nobody runs anything now.");
  const keys = PICTURED.filter((key) => isTracked(data, key));
  const head = ["User", ...keys.map((key) => (key === "MEMORY" ? `${nameOf(data, key)} (${unitOf(data, key).unit})` : nameOf(data, key)))];
  const cells = (amounts) => keys.map((key) => numberCell(amount(own(amounts, key, 0))));
  const body = rows.map((row) => line(userCell(row.user, layers), cells(row.amounts)));
  return tableOf("In use now", head, body, line(allCell(rows.length), cells(data.now.total)));
}

export function totalsTable({ data, layers }) {
  const rows = totalRows(data);
  if (!rows.length) return nothing("Totals of the window", "No jobs in this window.");
  const keys = PICTURED.filter((key) => isTracked(data, key));
  const whole = data.totals.total;
  const states = Object.keys(whole.ended).sort((one, other) => whole.ended[other] - whole.ended[one] || (one < other ? -1 : 1));
  const head = ["User", ...keys.flatMap((key) => [unitOf(data, key).hours, "share"]), ...states.map((state) => `runs ${stateName(state)}`)];
  const cells = ({ hours, ended }) => [
    ...keys.flatMap((key) => hoursCells(own(hours, key, 0), own(whole.hours, key, 0))),
    ...states.map((state) => numberCell(amount(own(ended, state, 0)))),
  ];
  const body = rows.map((row) => line(userCell(row.user, layers), cells(row)));
  return tableOf("Totals of the window", head, body, line(allCell(rows.length), cells(whole)));
}

// A state of Slurm's, as it stands after "runs": "completed", "out of memory".
function stateName(state) {
  return shownName(state).toLowerCase().replaceAll("_", " ");
}

function hoursCells(part, whole) {
  return [numberCell(amount(part)), numberCell(percent(part, whole), "share")];
}

function numberCell(text, kind) {
  return element("td", { class: kind }, text);
}

// The user's colour in the charts stands beside the name; who has no area of their own has the others' grey.
function userCell(user, layers) {
  const layer = layers.find((one) => one.name === user) ?? layers.find((one) => one.name === null);
  const name = shownName(user);
  return element("th", { scope: "row", title: name }, [swatch(layer?.colour), element("bdi", {}, name)]);
}

function allCell(users) {
  return element("th", { scope: "row" }, counted(users, "user"));
}

function line(first, cells) {
  return element("tr", {}, [first, ...cells]);
}

function tableOf(title, names, body, total) {
  const head = line(null, names.map((name) => element("th", { scope: "col", class: name === "share" ? "share" : null }, name)));
  const table = element("table", { "aria-label": title }, [element("thead", {}, head), element("tbody", {}, body), element("tfoot", {}, total)]);
  // it scrolls inside itself, so it must be within reach of the keyboard
  return [element("h3", {}, title), element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": title }, table)];
}

function nothing(title, words) {
  return [element("h3", {}, title), element("p", { class: "quiet" }, words)];
}
