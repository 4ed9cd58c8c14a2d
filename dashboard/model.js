// What a QoS's JSON says, made ready to show. Its objects are only ever asked for their own keys, since a user may be
// called "constructor".

export const PICTURED = ["NCPUS", "NGPUS", "MEMORY", "NJOBS"];
// What waiting jobs want, as charts of their own: key -> the observable that is wanted.
export const WANTED = new Map([["WANTED:NCPUS", "NCPUS"], ["WANTED:NGPUS", "NGPUS"]]);
export const SCHEMA_VERSION = 2;
const PARTS = ["metadata", "observables", "units", "limits", "now", "totals", "rejects", "staleness", "colours"];
const LISTS = ["users", "edges", "time_idxs", "untracked", "notes"];
const TYPED = "NGPUS:";

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

// The rows by user of an observable, or of what is wanted of it.
export function rowsOf(data, key) {
  return WANTED.has(key) ? own(data.waiting, WANTED.get(key), {}) : own(data.observables, key, {});
}

// Users of whom anything is known: those of the totals, and then those who have only waited.
export function everyUser(data) {
  const waiting = [...WANTED.keys()].flatMap((key) => Object.keys(rowsOf(data, key)));
  return waiting.length ? [...new Set([...data.users, ...waiting])] : data.users;
}

export function limitOf(data, key) {
  return own(data.limits, key, { kind: "unknown", value: null, source: "" });
}

export function isTracked(data, key) {
  return !data.untracked.includes(WANTED.get(key) ?? key);
}

export function nameOf(data, key) {
  if (WANTED.has(key)) return `${nameOf(data, WANTED.get(key))} that waiting jobs want`;
  return own(data.units, key, { name: key }).name;
}

export function unitOf(data, key) {
  return own(data.units, WANTED.get(key) ?? key, { unit: "", hours: `${key}-hours` });
}

// Who holds what now, the largest share first: [{user, amounts}].
export function nowRows(data) {
  const total = data.now.total;
  const rows = Object.keys(data.now.users).map((user) => ({ user, amounts: own(data.now.users, user) }));
  const weight = (row) => Math.max(...PICTURED.map((key) => own(row.amounts, key, 0) / (own(total, key, 0) || Infinity)));
  return rows
    .filter((row) => PICTURED.some((key) => own(row.amounts, key, 0) > 0))
    .sort((one, other) => weight(other) - weight(one) || (one.user < other.user ? -1 : 1));
}

// Who came to what in the window, in the order of the JSON, which is by share: [{user, hours, ended}].
export function totalRows(data) {
  return data.users.map((user) => ({ user, ...own(data.totals.users, user, { hours: {}, ended: {} }) }));
}

// GPUs held now by type, those of the window that nobody holds included: [{type, count, limit}]. A single type is only
// told where it has a limit of its own: else it says what all GPUs say.
export function gpuTypesNow(data) {
  const keys = Object.keys(data.now.total).filter((key) => key.startsWith(TYPED)).sort();
  const types = keys.map((key) => ({ type: key.slice(TYPED.length), count: data.now.total[key], limit: limitOf(data, key) }));
  return types.length === 1 && types[0].limit.kind !== "limit" ? [] : types;
}
