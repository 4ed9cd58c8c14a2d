// What is meant by what somebody typed; touches no page.

import { visible } from "../common/format.js";

// What stands in the list for it: users by their names alone, since they are asked for most.
/** @type {(found: Found) => string} */
export function listedAs({ name, kind }) {
  return kind === "user" ? visible(name) : `${visible(name)} (${kind})`;
}

// The one that is called so: by its words, else by its name, users first; else the only one with that in its name. Null
// for none.
/** @type {(known: Found[], text: string) => Found | null} */
export function foundIn(known, text) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return null;
  const exact =
    known.find((one) => listedAs(one).toLowerCase() === wanted) ??
    known.find((one) => visible(one.name).toLowerCase() === wanted);
  if (exact) return exact;
  const some = known.filter((one) => visible(one.name).toLowerCase().includes(wanted));
  return some.length === 1 ? some[0] : null;
}
