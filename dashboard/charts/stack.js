// The stack of areas in the charts: who has one of their own, and what each comes to bin by bin.

import { isOthers, peopleIn } from "../common/others.js";
import { binsIn } from "../common/range.js";
import { own } from "../common/report.js";
import { chartedOf, everyUser, isWanted, rowsOf } from "../common/resources.js";
import { MOST_LAYERS, OTHERS, tokenOf } from "../common/users.js";
import { OTHERS_COLOUR, toldApart } from "./colours.js";

/** @type {WeakMap<Data, { chosen: string[], means: Map<string, number[]> }>} */
const sums = new WeakMap(); // data -> the others' sums that were made last, and for whom

// The areas, the lowest first: [{id, name, users, colour, means}] with `means` by observable and bin. The first
// `top` users in `range` have an area, and who is picked: their tokens are in `picked`. All others share one, whose
// `name` is null and which is there if one of them held something in the range. `users` says of how many an area is.
// Who is to be `first` has the lowest area, whatever it comes to.
/**
 * @type {(
 *   data: Data, wanted?: { range?: Span | null, top?: number | null, picked?: string[], first?: string | null }
 * ) => Layer[]}
 */
export function stackOf(data, { range = null, top = null, picked = [], first: lowest = null } = {}) {
  const ranked = range ? rankedIn(data, range) : everyUser(data).filter((user) => heldSomething(data, user));
  const persons = ranked.filter((user) => !isOthers(data, user));
  const first = new Set(persons.slice(0, Math.min(MOST_LAYERS, top ?? data.metadata.top_users)));
  const wanted = new Set([...picked, ...(lowest === null ? [] : [tokenOf(lowest)])]);
  const inOrder = [...new Set([...(lowest === null ? [] : [lowest]), ...ranked, ...everyUser(data)])];
  const chosen = inOrder.filter((user) => first.has(user) || wanted.has(tokenOf(user)));
  const picks = [...picked, ...(lowest === null ? [] : [tokenOf(lowest)])];
  const later = picks.flatMap((token) => chosen.filter((user) => !first.has(user) && tokenOf(user) === token));
  const colours = toldApart(
    data.colours,
    everyUser(data).filter((user) => first.has(user)),
    [...new Set(later)],
  );
  const stack = chosen.map((user) => ({
    id: tokenOf(user),
    name: user,
    users: 1,
    colour: colours.get(user) ?? OTHERS_COLOUR,
    means: new Map(chartedOf(data).map((key) => [key, rowOf(data, key, user)])),
  }));
  const rest = ranked.filter((user) => !first.has(user) && !wanted.has(tokenOf(user)));
  if (!rest.length) return stack;
  const others = peopleIn(data, rest, "totals");
  const means = othersSums(data, chosen);
  // of those who share one name it is told how many held something in the window, and not how many of them in a range
  const isAtMost = range !== null && others > rest.length;
  return [...stack, { id: OTHERS, name: null, users: others, isAtMost, colour: OTHERS_COLOUR, means }];
}

// What the layers of a stack come to, bin by bin; nothing of what the data do not tell of.
/** @type {(data: Data, stack: Layer[], key: string) => number[]} */
export function totalOf(data, stack, key) {
  return sumOf(
    data,
    stack.map((layer) => layer.means.get(key) ?? []),
  );
}

// Who held something in a range, the largest share of anything first; then those who only waited in it.
/** @type {(data: Data, range: Span) => string[]} */
function rankedIn(data, range) {
  const { first, seconds } = binsIn(data, range);
  const users = everyUser(data);
  const weight = new Map(users.map((user) => [user, 0]));
  const weightOf = (/** @type {string} */ user) => weight.get(user) ?? 0;
  for (const key of chartedOf(data)) {
    const amounts = users.map((user) => amountIn(rowOf(data, key, user), first, seconds));
    const whole = amounts.reduce((sum, amount) => sum + amount, 0) || Infinity;
    const least = isWanted(key) ? 1e-9 : 1; // what is only wanted is no share of what was used
    users.forEach((user, place) => weight.set(user, Math.max(weightOf(user), (least * amounts[place]) / whole)));
  }
  return users.filter((user) => weightOf(user) > 0).sort((one, other) => weightOf(other) - weightOf(one));
}

/** @type {(row: number[], first: number, seconds: number[]) => number} */
function amountIn(row, first, seconds) {
  let sum = 0;
  const bins = Math.min(seconds.length, row.length - first);
  for (let bin = 0; bin < bins; bin += 1) sum += row[first + bin] * seconds[bin];
  return sum;
}

/** @type {(data: Data, user: string) => boolean} */
function heldSomething(data, user) {
  return chartedOf(data).some((key) => rowOf(data, key, user).some((value) => value > 0));
}

// Summing hundreds of users takes a while, and which of them are in view seldom changes.
/** @type {(data: Data, chosen: string[]) => Map<string, number[]>} */
function othersSums(data, chosen) {
  const known = sums.get(data);
  if (known && known.chosen.length === chosen.length && known.chosen.every((user, place) => user === chosen[place])) {
    return known.means;
  }
  const mine = new Set(chosen);
  const rest = everyUser(data).filter((user) => !mine.has(user));
  const means = new Map(
    chartedOf(data).map((key) => [
      key,
      sumOf(
        data,
        rest.map((user) => rowOf(data, key, user)),
      ),
    ]),
  );
  sums.set(data, { chosen, means });
  return means;
}

/** @type {(data: Data, key: string, user: string) => number[]} */
function rowOf(data, key, user) {
  return own(rowsOf(data, key), user, []);
}

/** @type {(data: Data, rows: number[][]) => number[]} */
function sumOf(data, rows) {
  const sum = new Array(data.time_idxs.length).fill(0);
  for (const row of rows) {
    for (let bin = 0; bin < row.length; bin += 1) sum[bin] += row[bin];
  }
  return sum;
}
