// What runs that ended really used of what they held, in a range of time; touches no page.

import { amount, percent, zoned } from "../../common/format.js";
import { binsIn, wholeOf } from "../../common/range.js";
import { own } from "../../common/report.js";
import { unitOf } from "../../common/resources.js";

const MOMENT = 3600; // seconds: who stands back that little is not late

/** @type {Record<UseSide, string>} */
export const USE_SIDES = { users: "user", accounts: "account", partitions: "partition" };

// {sums, exact}: the sums of the stretch that fits the range best: the same one, or the shortest that holds it. Null
// where the data tell nothing.
/** @type {(data: Data, range: Span | null) => { sums: UseSums, exact: boolean } | null} */
export function usedIn(data, range) {
  const told = data.efficiency;
  if (!told) return null;
  const wanted = range ?? wholeOf(data);
  const known = [...Object.values(told.ranges), told].sort((one, other) => one.to - one.from - (other.to - other.from));
  const sums = known.find((span) => span.from <= wanted.from && span.to >= wanted.to) ?? told;
  const start = binsIn(data, range).from;
  return { sums, exact: sums === told ? !range || wanted.from <= told.from : Math.abs(sums.from - start) < 3600 };
}

// The resources that runs held, those of the table of resources first, then GPUs by type.
/** @type {(data: Data, sums: UseSums) => string[]} */
export function usedKeys(data, sums) {
  const plain = (data.resources ?? []).map(({ key }) => key).filter((key) => own(sums.total, key, null));
  return [...plain, ...Object.keys(sums.total).filter((key) => !plain.includes(key))];
}

// Rows by user, account or partition, of those who held some of a resource.
/** @type {(sums: UseSums, side: UseSide, key: string) => UseRow[]} */
export function useRows(sums, side, key) {
  return Object.entries(sums[side]).flatMap(([name, uses]) => {
    const use = own(uses, key, null);
    return use ? [useRow(name, use)] : [];
  });
}

// A row as the table has it: what is not measured is null, and never 0.
/** @type {(name: string | null, use: Use) => UseRow} */
export function useRow(name, use) {
  const { allocated_hours: allocated, measured_hours: measured, used_hours: used } = use;
  const known = measured > 0 && used !== null;
  return {
    user: name,
    allocated,
    measured,
    used: known ? used : null,
    unused: known ? measured - used : null,
    efficiency: known ? used / measured : null,
    coverage: allocated > 0 ? measured / allocated : null,
  };
}

// The answer in a sentence: never a percentage without how much of it is known.
/** @type {(data: Data, sums: UseSums, key: string) => string} */
export function useWords(data, sums, key) {
  const row = useRow(null, sums.total[key]);
  const { hours } = unitOf(data, key);
  if (row.used === null || row.unused === null) return `${hours}: not measured on this cluster.`;
  const known = percent(row.measured, row.allocated);
  const spent = `${percent(row.used, row.measured)} used (known for ${known} of the ${hours})`;
  return `${spent}; ${amount(row.unused)} ${hours} unused.`;
}

// Of which time it is not known what the jobs used that ended in it, in sentences: what was before Librarian asked,
// what lies between, and what came after it was answered last.
/** @type {(data: Data, zone: string) => string[]} */
export function unknownTimes({ efficiency, edges, metadata }, zone) {
  if (!efficiency) return [];
  const known = efficiency.known;
  if (!known.length) return ["Of no time in this window it is known what all jobs used."];
  const first = known[0][0];
  const last = known[known.length - 1][1];
  const found = [];
  if (first > edges[0] + MOMENT) found.push(`Jobs that ended before ${zoned(first, zone)} are not in it.`);
  if (known.length > 1) found.push("Nor are those of some times between.");
  if (last < metadata.last_updated_epoch - MOMENT) found.push(`Nothing newer is known since ${zoned(last, zone)}.`);
  return found;
}

// Use inside what was allocated, by bin, as paths of a picture: {used, measured, allocated, most}, each from the
// ground; null where nothing is known in the range.
/** @type {(data: Data, range: Span | null, key: string, wide: number, high: number) => UsePaths | null} */
export function usePaths(data, range, key, wide, high) {
  const rows = own(data.efficiency?.bins, key, null);
  if (!rows) return null;
  const { first, seconds } = binsIn(data, range);
  const last = first + seconds.length;
  const cut = (/** @type {number[]} */ row) => row.slice(first, last);
  const [allocated, measured, used] = [cut(rows.allocated), cut(rows.measured), cut(rows.used)];
  const most = Math.max(...allocated, ...used);
  if (!(most > 0)) return null;
  const begin = data.edges[first];
  const scale = wide / (data.edges[last] - begin);
  const across = (/** @type {number} */ bin) => ((data.edges[first + bin] - begin) * scale).toFixed(1);
  const path = (/** @type {number[]} */ row) => {
    const steps = row.map((value, bin) => `V${(high - (value / most) * high).toFixed(1)}H${across(bin + 1)}`);
    return `M0 ${high}${steps.join("")}V${high}Z`;
  };
  return { used: path(used), measured: path(measured), allocated: path(allocated), most };
}
