// The types of a resource, such as those of GPUs: how much of each is held now.

import { limitOf, usedOf } from "../../common/report.js";

// What is held now by type, types of the window that nobody holds included: [{type, count, used, limit}], `used` as
// `usedOf` tells it. A single type is only told where it has a limit of its own: else it says what all of the resource
// say.
/** @type {(data: First, resource: string) => TypeNow[]} */
export function typesNow(data, resource) {
  const start = `${resource}:`;
  const keys = Object.keys(data.now.total)
    .filter((key) => key.startsWith(start))
    .sort();
  const types = keys.map((key) => ({
    type: key.slice(start.length),
    count: data.now.total[key],
    used: usedOf(data, key),
    limit: limitOf(data, key),
  }));
  return types.length === 1 && types[0].limit.kind !== "limit" ? [] : types;
}
