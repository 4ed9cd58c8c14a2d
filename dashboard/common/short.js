// What is short: small tables are sorted by it, since it is what people look for.

import { percent } from "./format.js";
import { limitOf, own, usedOf } from "./report.js";
import { nameOf, trackedOf } from "./resources.js";

// The resource, of `keys`, of which most of the limit is in use; without any limit the first of them.
/** @type {(data: Data, keys?: string[]) => string} */
export function shortOf(data, keys = trackedOf(data)) {
  return keys.reduce((best, key) => (shareOf(data, key) > shareOf(data, best) ? key : best), keys[0] ?? "");
}

// Which part of its limit is in use; -1 where that is not known, or there is no limit.
/** @type {(data: Data, key: string) => number} */
function shareOf(data, key) {
  const limit = limitOf(data, key);
  const used = usedOf(data, key);
  return limit.kind === "limit" && limit.value && used !== null ? used / limit.value : -1;
}

// Why a table is sorted by what `shortOf` told, as a sentence.
/** @type {(data: Data, key: string) => string} */
export function shortWords(data, key) {
  const share = shareOf(data, key);
  if (share < 0) return "No known limit tells which resource is short.";
  return `Nearest to a limit now: ${nameOf(data, key)}, ${percent(share, 1)} in use.`;
}

// The users of `rows`, those first who have most of `key`; then of anything, then by name.
/** @type {(rows: Record<string, Amounts>, key: string) => string[]} */
export function rankedBy(rows, key) {
  return Object.entries(rows)
    .map(([user, amounts]) => ({ user, value: own(amounts, key, 0), most: Math.max(0, ...Object.values(amounts)) }))
    .sort((one, other) => other.value - one.value || other.most - one.most || (one.user < other.user ? -1 : 1))
    .map(({ user }) => user);
}
