// How much is in use at which hour of the week: the mean of all bins that a range touches, by weekday and hour of a
// zone.

import { offsetAt, offsetsAt } from "../../common/clock.js";
import { binsIn } from "../../common/range.js";
import { remembered } from "../../common/remembered.js";
import { limitOf, own } from "../../common/report.js";
import { rowsOf } from "../../common/resources.js";

const AN_HOUR = 3600;
const A_DAY = 86400;
const FIRST_MONDAY = 4 * A_DAY; // 1970-01-05
/** @type {WeakMap<Data, Map<string, Float64Array>>} */
const uses = new WeakMap(); // data -> key -> use of all users by bin

// {cells, whole, isLimit}: cells[day][hour] is the mean use, Monday first, or null where the range has none of that
// hour. `whole` is what it is a share of: the limit where there is one above 0, else the highest cell.
/** @type {(data: Data, range: Span | null, key: string, zone: string) => Heat} */
export function heatOf(data, range, key, zone) {
  const seconds = week(0);
  const amounts = week(0);
  const { first, seconds: lengths } = binsIn(data, range);
  const use = useOf(data, key);
  const offsets = offsetsAt(data.edges, zone);
  for (let bin = first; bin < first + lengths.length; bin += 1) {
    const isChange = offsets[bin] !== offsets[bin + 1]; // only a bin with a change of the clocks must ask for each hour
    const end = data.edges[bin] + lengths[bin - first];
    for (let at = data.edges[bin]; at < end;) {
      const wall = at + (isChange ? offsetAt(at, zone) : offsets[bin]) - FIRST_MONDAY;
      const next = Math.min(end, at + AN_HOUR - modulo(wall, AN_HOUR)); // a bin may be longer than an hour
      const [day, hour] = [Math.floor(modulo(wall, 7 * A_DAY) / A_DAY), Math.floor(modulo(wall, A_DAY) / AN_HOUR)];
      seconds[day][hour] += next - at;
      amounts[day][hour] += use[bin] * (next - at);
      at = next;
    }
  }
  const cells = amounts.map((row, day) =>
    row.map((amount, hour) => (seconds[day][hour] ? amount / seconds[day][hour] : null)),
  );
  const limit = limitOf(data, key);
  const isLimit = limit.kind === "limit" && limit.value > 0;
  return { cells, whole: isLimit ? limit.value : Math.max(0, ...cells.flat().map((value) => value ?? 0)), isLimit };
}

// The hours with the least and with the most use: {least, most}, each {day, hour, value, alike} of the first one in the
// week, with the number of later ones that are just as good; or null where there is none.
/** @type {(cells: (number | null)[][]) => { least: HeatCell, most: HeatCell } | null} */
export function extremes(cells) {
  const known = cells.flatMap((row, day) =>
    row.flatMap((value, hour) => (value === null ? [] : [{ day, hour, value, alike: 0 }])),
  );
  if (!known.length) return null;
  const pick = (/** @type {(one: number, best: number) => boolean} */ better) => {
    const first = known.reduce((best, cell) => (better(cell.value, best.value) ? cell : best));
    return { ...first, alike: known.filter((cell) => cell.value === first.value).length - 1 };
  };
  return { least: pick((one, best) => one < best), most: pick((one, best) => one > best) };
}

/** @type {(data: Data, key: string) => Float64Array} */
function useOf(data, key) {
  const known = remembered(uses, data, () => new Map());
  return remembered(known, key, () => {
    const sum = new Float64Array(data.time_idxs.length);
    for (const user of data.users) own(rowsOf(data, key), user, []).forEach((mean, bin) => (sum[bin] += mean));
    return sum;
  });
}

/** @type {(value: number) => number[][]} */
function week(value) {
  return Array.from({ length: 7 }, () => new Array(24).fill(value));
}

/** @type {(value: number, base: number) => number} */
function modulo(value, base) {
  return ((value % base) + base) % base;
}
