// What a QoS's JSON says, as it is. Its objects are only ever asked for their own keys, since a user may be called
// "constructor".

export const SCHEMA_VERSION = 2;
const PARTS = ["metadata", "observables", "units", "limits", "now", "totals", "rejects", "staleness", "colours"];
const LISTS = ["users", "edges", "time_idxs", "untracked", "notes"];

export function own(object, key, fallback) {
  return object && Object.hasOwn(object, key) ? object[key] : fallback;
}

// {data}: the JSON as it is. A text is only taken for data when it is a report of the version that this page was made for.
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

export function limitOf(data, key) {
  return own(data.limits, key, { kind: "unknown", value: null, source: "" });
}
