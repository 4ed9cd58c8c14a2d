// How long jobs waited for their start, in a range of time.

import { wholeOf } from "../../common/range.js";

const KINDS = ["gpu", "cpu"];

// {key, from, to, exact, everybody, users}: the stretch of the data's own that fits the range best: the same one, or
// the shortest that holds it. `everybody` are rows without a user, by kind and size; `users` those of users over all
// sizes. Null where the data tell nothing.
/** @type {(data: Data, range: Span | null) => WaitsFound | null} */
export function waitsIn(data, range) {
  const ranges = data.waits?.ranges;
  if (!ranges) return null;
  const wanted = range ?? wholeOf(data);
  const known = Object.entries(ranges).sort(([, one], [, other]) => one.to - one.from - (other.to - other.from));
  const found = known.find(([, span]) => span.from <= wanted.from && span.to >= wanted.to) ?? known.at(-1);
  if (!found) return null;
  const [key, { from, to, columns }] = found;
  const rows = tableRows(columns);
  // ranges of the page begin at a second, those of the data may begin with their bin
  const exact = Math.abs(from - wanted.from) < 60 && Math.abs(to - wanted.to) < 60;
  return { key, from, to, exact, everybody: rows.filter((row) => row.user === null), users: byUser(rows) };
}

// A table by column as rows: {user: [a, b], jobs: [1, 2]} is [{user: a, jobs: 1}, {user: b, jobs: 2}].
/** @type {(columns: Record<string, any[]>) => WaitRow[]} */
function tableRows(columns) {
  const names = Object.keys(columns);
  return columns.user.map(
    (_, place) => /** @type {any} */ (Object.fromEntries(names.map((name) => [name, columns[name][place]]))),
  );
}

// One row a user: {user, jobs, gpu, cpu}, each kind {jobs, median, p90} or null; who started most jobs comes first.
/** @type {(rows: WaitRow[]) => UserWaits[]} */
function byUser(rows) {
  const found = new Map();
  for (const row of rows.filter(({ user, size }) => user !== null && size === null)) {
    if (!found.has(row.user)) found.set(row.user, { user: row.user, jobs: 0, gpu: null, cpu: null });
    const entry = found.get(row.user);
    entry.jobs += row.jobs;
    if (KINDS.includes(row.kind)) entry[row.kind] = row;
  }
  return [...found.values()].sort((one, other) => other.jobs - one.jobs || (one.user < other.user ? -1 : 1));
}

// The days of a kind's trend: [{from, to, jobs, median, p90}].
/** @type {(data: Data, kind: string) => WaitDay[]} */
export function trendOf(data, kind) {
  return (data.waits?.trend ?? []).filter((day) => day.kind === kind);
}
