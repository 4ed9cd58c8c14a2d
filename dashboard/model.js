// What a QoS's JSON says, made ready to show. Objects of the JSON are only ever asked for their own keys, since a user may
// be called "constructor".

export const PICTURED = ["NCPUS", "NGPUS", "MEMORY", "NJOBS"];
export const SCHEMA_VERSION = 1;

export function own(object, key, fallback) {
  return object && Object.hasOwn(object, key) ? object[key] : fallback;
}

// A text is only taken for data when it is a report of the version that this page was made for.
export function parseData(text) {
  const data = JSON.parse(text);
  if (data?.schema_version !== SCHEMA_VERSION || !Array.isArray(data.users) || !Array.isArray(data.edges)) {
    throw new Error("these data are not of the version that this page reads");
  }
  return data;
}

// The users with an area of their own, and the rest as one: [{name, colour, members}], the first at the bottom.
export function layersOf(data, othersColour) {
  const top = data.users.slice(0, data.metadata.top_users);
  const rest = data.users.slice(data.metadata.top_users);
  const layers = top.map((user) => ({ name: user, colour: own(data.colours, user, othersColour), members: [user] }));
  if (rest.length === 1) {
    layers.push({ name: rest[0], colour: othersColour, members: rest });
  } else if (rest.length) {
    layers.push({ name: `others (${rest.length} users)`, colour: othersColour, members: rest });
  }
  return layers;
}

export function seriesOf(data, key, members) {
  const table = own(data.observables, key, {});
  const sum = new Array(data.edges.length - 1).fill(0);
  for (const user of members) {
    own(table, user, []).forEach((value, place) => {
      sum[place] += value;
    });
  }
  return sum;
}

export function limitOf(data, key) {
  return own(data.limits, key, { kind: "unknown", value: null, source: "" });
}

export function isTracked(data, key) {
  return !data.untracked.includes(key);
}

// Rows of the table of now, the largest share of what is held first.
export function nowRows(data) {
  const total = data.now.total;
  const rows = Object.keys(data.now.users).map((user) => ({ user, amounts: data.now.users[user] }));
  const weight = (row) => Math.max(...PICTURED.map((key) => row.amounts[key] / (total[key] || Infinity)));
  return rows.sort((one, other) => weight(other) - weight(one) || (one.user < other.user ? -1 : 1));
}

// Rows of the table of totals, in the order of the JSON, which is by share.
export function totalRows(data) {
  return data.users.map((user) => ({ user, ...own(data.totals.users, user, { hours: {}, ended: {} }) }));
}

export function gpuTypesNow(data) {
  return Object.keys(data.now.total)
    .filter((key) => key.startsWith("NGPUS:") && data.now.total[key] > 0)
    .map((key) => ({ type: key.slice("NGPUS:".length), count: data.now.total[key], limit: limitOf(data, key) }));
}

// What a reader must be told about how old things are: a list of {kind, since, reason}.
export function warnings(index, entry, data, now) {
  const found = [];
  const interval = index.next_expected - index.generated_at;
  if (now > index.generated_at + 3 * interval) found.push({ kind: "silent", since: index.generated_at, reason: null });
  const stale = data ? data.staleness : { stale: entry.stale, since: entry.since, reason: entry.reason };
  if (stale.stale) found.push({ kind: data ? "stale" : "missing", since: stale.since, reason: stale.reason });
  return found;
}
