// What each calendar month came to, and a yearly allocation; touches no page.

import { amount, percent, zonedDay } from "../../common/format.js";
import { own } from "../../common/report.js";

const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

// The months that the data tell of, the newest first.
/** @type {(data: Data) => Month[]} */
export function monthsOf(data) {
  return [...(data.months ?? [])].reverse();
}

/** @type {(month: string) => string} */
export function monthName(month) {
  const [year, number] = month.split("-");
  return `${MONTHS[Number(number) - 1] ?? month} ${year}`;
}

// What a reader must know of a month to read it right, or "".
/** @type {(month: Month, zone: string) => string} */
export function monthNote({ from, known_from: knownFrom, known_to: knownTo, complete, to }, zone) {
  if (complete) return "";
  const since = knownFrom > from ? `known from ${zonedDay(knownFrom, zone)} on` : "";
  const until = knownTo < to ? `not over: up to ${zonedDay(knownTo, zone)}` : "";
  return [until, since].filter(Boolean).join(", ");
}

// What a reader must know of hours that were kept before suspended jobs counted as Slurm counts them, or "".
/** @type {(month: Month, zone: string) => string} */
export function olderRule({ older_rule_to: until }, zone) {
  if (typeof until !== "number") return "";
  return `Up to ${zonedDay(until, zone)} suspended jobs count as holding nothing, as an older release had it.`;
}

// The rows of one side of a month, "users" or "accounts": [{name, hours, jobs, failed}], the largest share first.
/** @type {(month: Month, side: "users" | "accounts", keys: string[]) => ({ name: string } & MonthTotals)[]} */
export function monthRows(month, side, keys) {
  const rows = Object.entries(month[side] ?? {}).map(([name, totals]) => ({ name, ...totals }));
  const weight = (/** @type {MonthTotals} */ row) =>
    Math.max(0, ...keys.map((key) => own(row.hours, key, 0) / (own(month.total.hours, key, 0) || Infinity)));
  return rows.sort((one, other) => weight(other) - weight(one) || (one.name < other.name ? -1 : 1));
}

// An allocation in a sentence or two.
/** @type {(allocation: Allocation, zone: string) => string} */
export function allocationWords(allocation, zone) {
  const { used, even, amount: whole, projected, unit, known_from: knownFrom, from, to } = allocation;
  const pace =
    even > 0
      ? ` Even use would have come to ${amount(even)} by now, so this is ${percent(used, even)} of the pace.`
      : "";
  const end =
    projected === null
      ? ""
      : ` At the pace so far ${amount(projected)} (${percent(projected, whole)}) will be used by ${zonedDay(to, zone)}.`;
  const blind = knownFrom > from ? ` Use before ${zonedDay(knownFrom, zone)} is not known here and not counted.` : "";
  return `${amount(used)} of ${amount(whole)} ${unit} used since ${zonedDay(from, zone)} (${percent(used, whole)}).${pace}${end}${blind}`;
}

// The lines of an allocation's chart in a box of `width` by `height`: {used, even, ahead, now, top} as SVG paths and
// places.
/**
 * @type {(
 *   allocation: Allocation, width: number, height: number
 * ) => { used: string, even: string, whole: number, ahead: string, now: number }}
 */
export function paceLines(allocation, width, height) {
  const { from, to, now, days, cumulative, used, projected, amount: whole } = allocation;
  const top = Math.max(whole, projected ?? 0, used) * 1.06 || 1;
  const x = (/** @type {number} */ epoch) => ((epoch - from) / (to - from)) * width;
  const y = (/** @type {number} */ hours) => height - (hours / top) * height;
  const points = days
    .map((day, place) => `${place ? "L" : "M"}${x(day).toFixed(1)} ${y(cumulative[place]).toFixed(1)}`)
    .join("");
  const end = days.length - 1;
  const last = days.length ? [x(days[end]), y(cumulative[end])] : [0, height];
  return {
    used: points,
    even: `M0 ${height}L${width} ${y(whole).toFixed(1)}`,
    whole: y(whole),
    ahead: projected === null ? "" : `M${last[0].toFixed(1)} ${last[1].toFixed(1)}L${width} ${y(projected).toFixed(1)}`,
    now: x(now),
  };
}
