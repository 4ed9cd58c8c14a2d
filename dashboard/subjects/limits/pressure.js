// How close use came to the limits, and which limits there are.

import { amount, lasting } from "../../common/format.js";
import { binsIn } from "../../common/range.js";
import { limitOf, own, usedOf } from "../../common/report.js";
import { trackedOf } from "../../common/resources.js";

// For each observable that has a limit now or had one in the range, what a reader wants to know of it: {key, limit,
// held, used, share, peak, near, longest, holders}. `used` is what `usedOf` tells; `peak` is {value, from, to} of the
// bin with the highest use, or null; `near` the seconds in which at least 95 % of the limit as it was then were in use,
// null where the data do not tell. `holders` and `longest` are those of the whole window, whatever the range.
/** @type {(data: Data, range: Span | null) => PressureRow[]} */
export function pressureIn(data, range) {
  return trackedOf(data)
    .map((key) => rowFor(data, range, key))
    .filter((row) => row.limit.kind === "limit" || row.near !== null);
}

/** @type {(data: Data, range: Span | null, key: string) => PressureRow} */
function rowFor(data, range, key) {
  const told = own(data.pressure, key, null);
  const limit = limitOf(data, key);
  const used = usedOf(data, key);
  const { first, seconds } = binsIn(data, range);
  return {
    key,
    limit,
    held: own(data.now.total, key, 0),
    used,
    share: limit.kind === "limit" && limit.value > 0 && used !== null ? used / limit.value : null,
    peak: highestBin(data, own(data.peaks, key, []), first, seconds.length),
    near: nearSeconds(data, key, first, seconds.length),
    longest: told?.longest ?? null,
    holders: told?.holders ?? [],
  };
}

// The highest use of all users at one moment, and the bin in which that was.
/** @type {(data: Data, peaks: number[], first: number, bins: number) => (Span & { value: number }) | null} */
function highestBin(data, peaks, first, bins) {
  let best = null;
  for (let bin = first; bin < first + bins; bin += 1) {
    if (peaks[bin] > (best?.value ?? 0)) {
      best = {
        value: peaks[bin],
        from: data.edges[bin],
        to: Math.min(data.edges[bin + 1], data.metadata.last_updated_epoch),
      };
    }
  }
  return best;
}

/** @type {(data: Data, key: string, first: number, bins: number) => number | null} */
function nearSeconds(data, key, first, bins) {
  const near = own(data.near, key, null);
  return near && near.slice(first, first + bins).reduce((sum, seconds) => sum + seconds, 0);
}

/** @type {Texts} */
const PER = { group: "all together", account: "an account", user: "a user", job: "a job" };

// A limit as Slurm has it, in words: {per, what, limit, used, share, of, setting, binds}.
/** @type {(row: PolicyRow) => PolicyWords} */
export function policyRow(row) {
  const told = (/** @type {number} */ value) =>
    row.unit === "s"
      ? lasting(value)
      : row.unit && row.unit !== row.name
        ? `${amount(value)} ${row.unit}`
        : amount(value);
  return {
    per: PER[row.per] ?? row.per,
    what: row.name,
    limit: told(row.limit),
    used: row.used === null || row.used === undefined ? null : told(row.used),
    by: row.by ?? null,
    share: typeof row.used === "number" && row.limit > 0 ? row.used / row.limit : null,
    of: row.of,
    setting: row.setting,
    binds: Boolean(row.binds),
  };
}
