// What is short: small tables are sorted by it, since it is what people look for.

import { limitOf, own, usedOf } from "./report.js";
import { trackedOf } from "./resources.js";

// The resource, of `keys`, of which most of the limit is in use; without any limit the first of them.
/** @type {(data: Data, keys?: string[]) => string} */
export function shortOf(data, keys = trackedOf(data)) {
  const share = (/** @type {string} */ key) => {
    const limit = limitOf(data, key);
    const used = usedOf(data, key);
    return limit.kind === "limit" && limit.value && used !== null ? used / limit.value : -1;
  };
  return keys.reduce((best, key) => (share(key) > share(best) ? key : best), keys[0] ?? "");
}

// The users of `rows`, those first who have most of `key`; then of anything, then by name.
/** @type {(rows: Record<string, Amounts>, key: string) => string[]} */
export function rankedBy(rows, key) {
  const of = (/** @type {string} */ user) => own(own(rows, user, {}), key, 0);
  const most = (/** @type {string} */ user) => Math.max(0, ...Object.values(own(rows, user, {})));
  return Object.keys(rows).sort(
    (one, other) => of(other) - of(one) || most(other) - most(one) || (one < other ? -1 : 1),
  );
}
