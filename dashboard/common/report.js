// What a QoS's JSON says, as it is. Its objects are only ever asked for their own keys, since a user may be called
// "constructor".

export const SCHEMA_VERSION = 2;
const PARTS = ["metadata", "observables", "units", "limits", "now", "totals", "rejects", "staleness", "colours"];
const LISTS = ["users", "edges", "time_idxs", "untracked", "notes"];

/** @type {<O extends object, F>(object: O | null | undefined, key: string, fallback: F) => O[keyof O] | F} */
export function own(object, key, fallback) {
  return object && Object.hasOwn(object, key) ? object[/** @type {keyof typeof object} */ (key)] : fallback;
}

// {data}: the JSON as it is. A text is only taken for data when it is a report of the version that this page was made
// for.
/** @type {(text: string, parse?: (text: string) => any) => Loaded} */
export function readReport(text, parse = JSON.parse) {
  const data = parse(text);
  if (data?.schema_version !== SCHEMA_VERSION) throw new Error("the data are of another version than this page");
  const missing = [
    ...PARTS.filter((part) => typeof data[part] !== "object" || data[part] === null),
    ...LISTS.filter((list) => !Array.isArray(data[list])),
  ];
  if (missing.length) throw new Error(`the data have no ${missing.join(", ")}`);
  return { data };
}

// What the page has inside of a report for its first screen; null where it is not of the version that this page was
// made for, or cannot be read.
/** @type {(text: string, parse: (text: string) => any) => First | null} */
export function readFirst(text, parse) {
  try {
    const first = parse(text);
    const parts = ["metadata", "limits", "now", "rejects", "staleness", "units"];
    const isWhole = parts.every((part) => typeof first[part] === "object" && first[part] !== null);
    const lists = [first.notes, first.untracked, first.resources ?? []];
    const isDated = Number.isSafeInteger(first.metadata.last_updated_epoch);
    return first.schema_version === SCHEMA_VERSION && isWhole && isDated && lists.every(Array.isArray) ? first : null;
  } catch {
    return null;
  }
}

/** @type {(data: First, key: string) => Limit} */
export function limitOf(data, key) {
  const limits = /** @type {Record<string, Limit>} */ (data.limits);
  return own(limits, key, /** @type {Limit} */ ({ kind: "unknown", value: null, source: "" }));
}

// What stands beside a limit: what Slurm counts against it now. A suspended job's CPUs are in it, which are not among
// what is held; null where others count too, of whom nothing is known. Without a limit it is what is held.
/** @type {(data: First, key: string) => number | null} */
export function usedOf(data, key) {
  const { kind, used } = limitOf(data, key);
  return kind !== "limit" || used === undefined ? own(data.now.total, key, 0) : used;
}
