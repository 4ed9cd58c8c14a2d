// The rows of the table of jobs, from the files of days; touches no page.

import { own } from "../../common/report.js";

const DAY_SECONDS = 86400;

// The files that have the jobs of a range: those of its days (of UTC), and of jobs that have not ended.
/** @type {(table: any, span: Span) => JobFile[]} */
export function jobFilesOf(table, { from, to }) {
  const days = table.days.filter((/** @type {any} */ day) => day.begin < to && day.begin + DAY_SECONDS > from);
  return table.open ? [...days, table.open] : days;
}

// The jobs of a file's document, a row each. What is not known is null; a share is -1 where nothing was held.
/** @type {(doc: any) => JobRow[]} */
export function jobRowsIn(doc) {
  const { columns, users, partitions, states, sizes, findings } = doc;
  return columns.id.map((/** @type {string} */ id, /** @type {number} */ place) => {
    const at = (/** @type {string} */ name) => columns[name][place];
    return {
      id,
      array: at("array"),
      tasks: at("tasks"),
      user: users[at("user")],
      partition: partitions ? partitions[at("partition")] : null,
      state: states[at("state")],
      exit: at("exit_code"),
      size: sizes[at("size")],
      eligible: at("eligible"),
      start: at("start"),
      end: at("end"),
      waited: at("waited"),
      elapsed: at("elapsed"),
      limit: at("limit"),
      cpu: at("cpu"),
      memory: at("memory"),
      gpu: at("gpu"),
      isLeast: at("at_least") === 1,
      findings: findings[at("findings")],
      runs: null,
    };
  });
}

// Those that ended in the range, and those that have not ended where the range goes on up to the end of the data.
/** @type {(rows: JobRow[], span: Span, until: number) => JobRow[]} */
export function jobsIn(rows, { from, to }, until) {
  return rows.filter(({ end }) => (end === null ? to >= until : end >= from && (end < to || to >= until)));
}

// Job arrays as one row each, where its first one stands; an array of one row stays that.
/** @type {(rows: JobRow[]) => JobRow[]} */
export function foldedJobs(rows) {
  /** @type {Map<number, JobRow[]>} */
  const arrays = new Map();
  for (const row of rows) {
    if (!row.array) continue;
    const known = arrays.get(row.array);
    if (known) known.push(row);
    else arrays.set(row.array, [row]);
  }
  const kept = [];
  for (const row of rows) {
    const runs = row.array ? (arrays.get(row.array) ?? [row]) : [row];
    if (runs.length === 1) kept.push(row);
    else if (runs[0] === row) kept.push(arrayRow(runs));
  }
  return kept;
}

/** @type {(runs: JobRow[]) => JobRow} */
function arrayRow(runs) {
  const tasks = newestRuns(runs);
  const ends = tasks.map(({ end }) => end);
  const codes = [...new Set(tasks.filter(({ end }) => end !== null).map(({ exit }) => exit))];
  return {
    ...runs[0],
    id: String(runs[0].array),
    tasks: tasks.reduce((sum, one) => sum + one.tasks, 0),
    state: countWords(tasks.map((one) => [one.state, one.tasks])),
    exit: codes.includes(null) ? null : codes.join(", "),
    end: ends.includes(null) ? null : largestOf(ends),
    start: smallestOf(runs.map(({ start }) => start)),
    waited: largestOf(tasks.map(({ waited }) => waited)),
    elapsed: largestOf(runs.map(({ elapsed }) => elapsed)),
    limit: largestOf(runs.map(({ limit }) => limit)),
    cpu: jobShareOf(runs, "cpu", 0),
    gpu: jobShareOf(runs, "gpu", 1),
    memory: jobShareOf(runs, "memory", 2),
    isLeast: runs.some(({ isLeast }) => isLeast),
    findings: [...new Set(runs.flatMap(({ findings }) => findings))],
    runs,
  };
}

// The newest run of each task, which is how it stands.
/** @type {(runs: JobRow[]) => JobRow[]} */
function newestRuns(runs) {
  const found = new Map();
  for (const run of runs) {
    const before = found.get(run.id);
    if (!before || (run.eligible ?? Infinity) >= (before.eligible ?? Infinity)) found.set(run.id, run);
  }
  return [...found.values()];
}

/** @type {(values: (number | null)[]) => number | null} */
function largestOf(values) {
  return values.reduce((most, one) => (one !== null && (most === null || one > most) ? one : most), null);
}

/** @type {(values: (number | null)[]) => number | null} */
function smallestOf(values) {
  return values.reduce((least, one) => (one !== null && (least === null || one < least) ? one : least), null);
}

/** @type {(values: [string, number][]) => string} */
function countWords(values) {
  const counts = new Map();
  for (const [word, number] of values) counts.set(word, (counts.get(word) ?? 0) + number);
  if (counts.size === 1) return values[0][0];
  return [...counts]
    .sort((one, other) => other[1] - one[1])
    .map(([word, number]) => `${number} ${word}`)
    .join(", ");
}

// What all that ended used of what they held, in thousandths: runs count by what they held, and of memory by their
// peaks. Null where that is not known of one of them, -1 where nothing was held.
/** @type {(runs: JobRow[], key: "cpu" | "memory" | "gpu", place: number) => number | null} */
function jobShareOf(runs, key, place) {
  let [used, held] = [0, 0];
  for (const { [key]: share, size, elapsed, end } of runs) {
    if (share === -1 || end === null) continue;
    if (share === null) return null;
    const weight = (size?.[place] ?? 0) * (key === "memory" ? 1 : (elapsed ?? 0));
    used += share * weight;
    held += weight;
  }
  return held ? used / held : -1;
}

/** @type {Record<string, (row: JobRow) => string | number | null>} */
const SORTS = {
  id: ({ id }) => parseInt(id, 10),
  user: ({ user }) => user,
  state: ({ state }) => state,
  end: ({ end, start }) => end ?? (start === null ? Infinity : 1e12),
  waited: ({ waited }) => waited,
  elapsed: ({ elapsed }) => elapsed,
  limit: ({ elapsed, limit }) => (limit && elapsed !== null ? elapsed / limit : null),
  cpu: ({ cpu }) => (cpu === -1 ? null : cpu),
  memory: ({ memory }) => (memory === -1 ? null : memory),
  gpu: ({ gpu }) => (gpu === -1 ? null : gpu),
};

// By a column (`-up` behind its name: the smallest first); what is not known comes last, and the newest stay first.
/** @type {(rows: JobRow[], sort: string) => JobRow[]} */
export function sortedJobs(rows, sort) {
  const isUp = sort.endsWith("-up");
  const value = own(SORTS, isUp ? sort.slice(0, -3) : sort, SORTS.end);
  const sign = isUp ? 1 : -1;
  return rows
    .map((row) => /** @type {const} */ ([value(row), row]))
    .sort(([one], [other]) => {
      if (one === other) return 0;
      if (one === null) return 1;
      if (other === null) return -1;
      return one < other ? -sign : sign;
    })
    .map(([, row]) => row);
}

// {user, state, found, text}: what the reader chose; "" is all. A job array is there where one of its runs is.
/** @type {(rows: JobRow[], choice: JobChoice) => JobRow[]} */
export function filteredJobs(rows, { user, state, found, text }) {
  const isWanted = (/** @type {JobRow} */ row) =>
    (!user || row.user === user) &&
    (!state || row.state === state) &&
    (!found || (found === "*" ? row.findings.length > 0 : row.findings.includes(found))) &&
    (!text || row.id === text || row.id.startsWith(text));
  return rows.filter(isWanted);
}

// The run of a job by its id: the newest one; a job array by its number.
/** @type {(rows: JobRow[], id: string) => JobRow | null} */
export function jobNamed(rows, id) {
  const runs = rows.filter((row) => row.id === id || (row.array !== 0 && String(row.array) === id));
  if (runs.some((run) => run.array && String(run.array) === id)) return foldedJobs(runs)[0];
  return newestRuns(runs)[0] ?? null;
}
