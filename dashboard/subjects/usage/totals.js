// What was used in a range of time, by user, and what ended in it.

import { binsIn } from "../../common/range.js";
import { own } from "../../common/report.js";
import { picturedOf } from "../../common/resources.js";
import { totalRows } from "./now.js";

// {rows, total, endedElsewhen}: `rows` are {user, hours, ended} of those who used something or whose runs ended in the
// bins that the range touches, the largest share first; hours by observable, runs by state. `endedElsewhen` is true
// where the data do not tell when runs ended: then none are counted.
/** @type {(data: Data, range: Span | null) => { rows: TotalsRow[], total: Totals, endedElsewhen: boolean }} */
export function totalsIn(data, range) {
  if (!range) return { rows: totalRows(data), total: data.totals.total, endedElsewhen: false };
  const hours = hoursIn(data, range);
  const ended = endedIn(data, range);
  const rows = data.users.map((user, place) => ({ user, hours: hours[place], ended: ended.get(user) ?? {} }));
  const total = { hours: summed(rows.map((row) => row.hours)), ended: summed(rows.map((row) => row.ended)) };
  const keys = picturedOf(data);
  const share = (/** @type {TotalsRow} */ row) =>
    Math.max(...keys.map((key) => row.hours[key] / (total.hours[key] || Infinity)));
  const some = rows.filter((row) => share(row) > 0 || Object.keys(row.ended).length);
  const shares = new Map(some.map((row) => [row, share(row)]));
  return {
    rows: some.sort((one, other) => (shares.get(other) ?? 0) - (shares.get(one) ?? 0)),
    total,
    endedElsewhen: !data.ended,
  };
}

// For each of `data.users` the unit-hours by observable: means times the seconds of the bins that the range touches.
/** @type {(data: Data, range: Span | null) => Amounts[]} */
function hoursIn(data, range) {
  const { first, seconds } = binsIn(data, range);
  const keys = picturedOf(data);
  return data.users.map((user) => {
    const found = Object.create(null);
    for (const key of keys) found[key] = amountOf(own(own(data.observables, key, {}), user, []), first, seconds) / 3600;
    return found;
  });
}

/** @type {(means: (number | null)[], first: number, seconds: number[]) => number} */
function amountOf(means, first, seconds) {
  let sum = 0;
  for (let bin = 0; bin < seconds.length; bin += 1) sum += (means[first + bin] ?? 0) * seconds[bin];
  return sum;
}

// User -> state -> runs that ended in the bins that the range touches.
/** @type {(data: Data, range: Span | null) => Map<string, Amounts>} */
function endedIn(data, range) {
  const { first, seconds } = binsIn(data, range);
  const last = first + seconds.length - 1;
  const found = new Map();
  for (const [user, ended] of Object.entries(data.ended ?? {})) {
    const states = Object.create(null);
    for (const [state, { bins, runs }] of Object.entries(ended)) {
      const sum = runs.reduce(
        (before, count, place) => before + (bins[place] >= first && bins[place] <= last ? count : 0),
        0,
      );
      if (sum) states[state] = sum;
    }
    found.set(user, states);
  }
  return found;
}

/** @type {(tables: Amounts[]) => Amounts} */
function summed(tables) {
  const total = Object.create(null);
  for (const table of tables) for (const key of Object.keys(table)) total[key] = (total[key] ?? 0) + table[key];
  return total;
}
