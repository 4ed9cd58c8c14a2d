// What a table that is taken away is called: what it tells of, the QoS and the time, of letters that any system takes.

import { fieldTime } from "../common/clock.js";

const MOST_LETTERS = 60;

// "usage-totals_avery_2026-11-20T0000-2026-11-27T0000.csv", on the clock of `zone`; `to` is null for one moment.
/** @type {(what: string, data: Data, zone: string, from: number, to?: number | null) => string} */
export function exportName(what, data, zone, from, to = null) {
  const times = (to === null ? [from] : [from, to]).map((epoch) => fieldTime(epoch, zone).replace(":", ""));
  return `${what}_${fileSafe(data.metadata.qos)}_${times.join("-")}.csv`;
}

// The same of a month, "2026-11".
/** @type {(what: string, data: Data, month: string) => string} */
export function monthExportName(what, data, month) {
  return `${what}_${fileSafe(data.metadata.qos)}_${fileSafe(month)}.csv`;
}

/** @type {(name: string) => string} */
function fileSafe(name) {
  return name
    .replace(/[^A-Za-z0-9_.-]+/g, "_")
    .replace(/\.\.+/g, "_")
    .slice(0, MOST_LETTERS);
}
