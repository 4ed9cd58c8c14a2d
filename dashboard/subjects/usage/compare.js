// The range beside the time before it, as long; touches no page.

import { amount, changeOf, lasting } from "../../common/format.js";
import { binsIn } from "../../common/range.js";
import { own } from "../../common/report.js";
import { rowsOf, trackedOf, unitOf } from "../../common/resources.js";

/** @type {Texts} */
const WAIT_KINDS = { cpu: "jobs without GPUs", gpu: "jobs with GPUs" };

// Rows of texts: what, in the range, before, the change. Hours of the time before are counted as far as those of the
// range, whose last bin may not be over. What the data do not tell has no row.
/** @type {(viewModel: ViewModel) => string[][]} */
export function comparedRows({ data, range, before }) {
  if (!range || !before) return [];
  const { first, seconds } = binsIn(data, range);
  const bins = Math.round((range.to - range.from) / data.metadata.time_resolution_seconds);
  const hours = trackedOf(data).map((key) => {
    const [now, then] = [first, first - bins].map((bin) => hoursFrom(data, key, bin, seconds));
    return [unitOf(data, key).hours, amount(now), amount(then), changeOf(now, then)];
  });
  const peaks = trackedOf(data).flatMap((key) => {
    const most = own(data.peaks, key, null);
    if (!most) return [];
    const [now, then] = [first, first - bins].map((bin) => highestOf(most, bin, seconds.length));
    return [[`${unitOf(data, key).name}, peak`, amount(now), amount(then), changeOf(now, then)]];
  });
  return [...hours, ...peaks, ...waitRows(data, range)];
}

/** @type {(data: Data, key: string, first: number, seconds: number[]) => number} */
function hoursFrom(data, key, first, seconds) {
  const rows = Object.values(rowsOf(data, key));
  const sumOfBin = (/** @type {number} */ bin) => rows.reduce((sum, row) => sum + (row[bin] ?? 0), 0);
  return seconds.reduce((sum, length, place) => sum + length * sumOfBin(first + place), 0) / 3600;
}

/** @type {(values: number[], first: number, bins: number) => number} */
function highestOf(values, first, bins) {
  return values.slice(Math.max(0, first), first + bins).reduce((most, value) => Math.max(most, value), 0);
}

// Waiting times are known of the ranges of the buttons alone.
/** @type {(data: Data, range: Span) => string[][]} */
function waitRows(data, range) {
  const ranges = data.waits?.ranges ?? {};
  const isIt = (/** @type {Span} */ one) => Math.abs(one.from - range.from) < 60 && Math.abs(one.to - range.to) < 60;
  const name = Object.keys(ranges).find((key) => isIt(own(ranges, key, { from: 0, to: 0 })));
  const [now, then] = [own(ranges, name ?? "", null), own(data.waits?.before, name ?? "", null)];
  if (!now || !then) return [];
  return Object.keys(WAIT_KINDS).flatMap((kind) => {
    const texts = [now, then].map((one) => medianOf(one.columns, kind));
    return texts.some((text) => text !== "–") ? [[`Median wait, ${WAIT_KINDS[kind]}`, ...texts, ""]] : [];
  });
}

/** @type {(columns: Record<string, any[]>, kind: string) => string} */
function medianOf({ user, kind: kinds, size, median }, kind) {
  const place = kinds.findIndex((one, row) => one === kind && user[row] === null && size[row] === null);
  return place < 0 ? "–" : lasting(median[place]);
}
