// Headroom, the table of now and the table of totals.

import { element } from "./dom.js";
import { amount, percent, shownName } from "./format.js";
import { PICTURED, gpuTypesNow, isTracked, limitOf, nowRows, own, totalRows } from "./model.js";

export function headroomOf(data) {
  return PICTURED.map((key) => {
    const name = own(data.nice_names, key, key);
    const heading = element("h3", {}, key === "MEMORY" ? `${name} (GiB)` : name);
    if (!isTracked(data, key)) return element("div", { class: "gauge" }, [heading, element("p", {}, "not tracked here")]);
    const used = data.now.total[key];
    const limit = limitOf(data, key);
    const figure = element("p", { class: "figure" }, [element("strong", {}, amount(used)), boundText(limit)]);
    return element("div", { class: "gauge" }, [heading, figure, meter(name, used, limit), ...details(data, key, limit)]);
  });
}

// "No limit", a limit of 0 and a limit that is not known are three things.
function boundText(limit) {
  if (limit.kind === "none") return " in use, no limit";
  if (limit.kind === "unknown") return " in use, limit not known";
  return limit.value === 0 ? " in use, 0 allowed" : ` of ${amount(limit.value)}`;
}

function meter(name, used, limit) {
  if (limit.kind !== "limit" || limit.value === 0) return element("div", { class: "bar none", "aria-hidden": "true" });
  const share = Math.min(1, used / limit.value);
  const level = share >= 0.95 ? "full" : share >= 0.75 ? "high" : "free";
  const label = `${name}: ${amount(used)} of ${amount(limit.value)}`;
  const filled = element("span", { class: level });
  filled.style.width = `${100 * share}%`;
  const range = { "aria-valuemin": "0", "aria-valuemax": String(limit.value), "aria-valuenow": String(used) };
  return element("div", { class: "bar", role: "meter", "aria-label": label, ...range }, filled);
}

function details(data, key, limit) {
  const parts = [];
  if (limit.kind === "limit" && limit.value > 0) parts.push(`${amount(Math.max(0, limit.value - data.now.total[key]))} free`);
  if (key === "NGPUS") parts.push(...gpuTypesNow(data).map((gpu) => `${shownName(gpu.type)}: ${amount(gpu.count)}`));
  if (limit.source === "configuration") parts.push("limit from the configuration");
  return parts.length ? [element("p", { class: "detail" }, parts.join(" · "))] : [];
}

export function nowTable(data) {
  const rows = nowRows(data);
  if (!rows.length) return element("p", { class: "quiet" }, "Nobody runs anything now.");
  const keys = PICTURED.filter((key) => isTracked(data, key));
  const head = headRow(["User", ...keys.map((key) => unitName(data, key))]);
  const body = rows.map((row) => bodyRow(row.user, keys.map((key) => amount(own(row.amounts, key, 0)))));
  const total = bodyRow(null, keys.map((key) => amount(data.now.total[key])));
  return tableOf("What runs now", head, body, total);
}

export function totalsTable(data) {
  const rows = totalRows(data);
  if (!rows.length) return element("p", { class: "quiet" }, "No jobs in this window.");
  const keys = PICTURED.filter((key) => isTracked(data, key));
  const head = headRow(["User", ...keys.flatMap((key) => [data.units[key].hours, "share"]), "runs ended"]);
  const sum = data.totals.total;
  const cells = (hours, ended) => [
    ...keys.flatMap((key) => [amount(own(hours, key, 0)), percent(own(hours, key, 0), sum.hours[key])]),
    endedText(ended),
  ];
  const body = rows.map((row) => bodyRow(row.user, cells(row.hours, row.ended)));
  return tableOf("Totals of the window", head, body, bodyRow(null, cells(sum.hours, sum.ended)));
}

function unitName(data, key) {
  return key === "MEMORY" ? `${data.nice_names[key]} (${data.units[key].unit})` : data.nice_names[key];
}

function endedText(ended) {
  const states = Object.keys(ended).sort((one, other) => ended[other] - ended[one]);
  return states.map((state) => `${amount(ended[state])} ${shownName(state).toLowerCase().replaceAll("_", " ")}`).join(", ") || "–";
}

function headRow(names) {
  return element("tr", {}, names.map((name) => element("th", { scope: "col" }, name)));
}

// `user` null is the line of totals.
function bodyRow(user, cells) {
  const name = user === null ? "All" : shownName(user);
  return element("tr", {}, [element("th", { scope: "row" }, name), ...cells.map((cell) => element("td", {}, cell))]);
}

function tableOf(title, head, body, total) {
  const table = element("table", {}, [
    element("caption", {}, title), element("thead", {}, head), element("tbody", {}, body), element("tfoot", {}, total),
  ]);
  // it scrolls inside itself on a small screen, so it must be reachable with the keyboard
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": title }, table);
}
