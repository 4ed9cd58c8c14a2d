import assert from "node:assert/strict";
import { test } from "node:test";
import { filteredJobs, foldedJobs, jobFilesOf, jobNamed, jobRowsIn, jobsIn, sortedJobs } from "./job_rows.js";

const COLUMNS = {
  id: ["7", "9_0", "9_1", "9", "12"],
  array: [0, 9, 9, 9, 0],
  tasks: [1, 1, 1, 8, 1],
  user: [0, 1, 1, 1, 0],
  state: [0, 0, 1, 2, 3],
  exit_code: ["0:0", "0:0", "1:0", null, null],
  size: [0, 0, 0, 1, 0],
  eligible: [10, 20, 20, 20, 50],
  start: [20, 30, 30, null, 60],
  end: [100, 200, 300, null, null],
  waited: [10, 10, 10, null, 10],
  elapsed: [80, 100, 300, null, 40],
  limit: [100, null, 600, null, null],
  cpu: [500, 1000, 0, -1, -1],
  memory: [null, 500, 100, -1, -1],
  gpu: [-1, -1, -1, -1, -1],
  at_least: [0, 1, 0, 0, 0],
  findings: [0, 0, 1, 0, 0],
};
const DOC = {
  users: ["alice", "bob"],
  states: ["COMPLETED", "FAILED", "PENDING", "RUNNING"],
  sizes: [[4, 0, 8], null],
  findings: [[], ["cpus-idle"]],
  columns: COLUMNS,
};
const rows = jobRowsIn(DOC);
const PLAIN = { user: "", state: "", found: "", text: "", sort: "end" };
const ids = (found) => found.map(({ id }) => id);

test("a row a run, and what is not known is null", () => {
  assert.deepEqual(ids(rows), COLUMNS.id);
  assert.equal(rows[0].memory, null);
  assert.equal(rows[0].partition, null);
  assert.equal(rows[3].size, null);
});

test("a job array is one row with counts", () => {
  const [job, array, running] = foldedJobs(rows);
  assert.deepEqual(ids([job, array, running]), ["7", "9", "12"]);
  assert.equal(array.tasks, 10);
  assert.equal(array.state, "8 PENDING, 1 COMPLETED, 1 FAILED");
  assert.equal(array.exit, "0:0, 1:0");
  assert.equal(array.end, null);
  assert.equal(array.elapsed, 300);
  assert.equal(array.cpu, 250); // 100 of 400 seconds
  assert.equal(array.memory, 300);
  assert.equal(array.gpu, -1);
  assert.equal(array.runs.length, 3);
});

test("what one of the tasks does not tell is not known of the array, and not 0", () => {
  const [array] = foldedJobs(rows.slice(1, 3).map((row, place) => (place ? { ...row, exit: null, cpu: null } : row)));
  assert.equal(array.exit, null);
  assert.equal(array.cpu, null);
});

test("a requeued task counts once, as it stands", () => {
  const again = { ...rows[2], state: "COMPLETED", eligible: 400, end: 500 };
  const [array] = foldedJobs([...rows.slice(1, 3), again]);
  assert.equal(array.tasks, 2);
  assert.equal(array.state, "COMPLETED");
});

test("the range has what ended in it, and what has not ended where it goes on to the end", () => {
  assert.deepEqual(ids(jobsIn(rows, { from: 100, to: 250 }, 400)), ["7", "9_0"]);
  assert.deepEqual(ids(jobsIn(rows, { from: 250, to: 400 }, 400)), ["9_1", "9", "12"]);
});

test("files of the days of a range, and of what has not ended", () => {
  const table = { days: [0, 86400, 172800].map((begin) => ({ begin, file: String(begin) })), open: { file: "open" } };
  assert.deepEqual(
    jobFilesOf(table, { from: 86400, to: 172800 }).map(({ file }) => file),
    ["86400", "open"],
  );
  assert.equal(jobFilesOf({ days: [], open: null }, { from: 0, to: 1 }).length, 0);
});

test("filters", () => {
  const found = (choice) => ids(filteredJobs(rows, { ...PLAIN, ...choice }));
  assert.deepEqual(found({ user: "alice" }), ["7", "12"]);
  assert.deepEqual(found({ state: "FAILED" }), ["9_1"]);
  assert.deepEqual(found({ found: "*" }), ["9_1"]);
  assert.deepEqual(found({ found: "cpus-idle" }), ["9_1"]);
  assert.deepEqual(found({ text: "9_" }), ["9_0", "9_1"]);
  assert.deepEqual(found({ found: "constructor" }), []);
});

test("what is not known or not held comes last, whichever way", () => {
  assert.deepEqual(ids(sortedJobs(rows, "cpu")), ["9_0", "7", "9_1", "9", "12"]);
  assert.deepEqual(ids(sortedJobs(rows, "cpu-up")), ["9_1", "7", "9_0", "9", "12"]);
  assert.deepEqual(ids(sortedJobs(rows, "end")), ["9", "12", "9_1", "9_0", "7"]);
  assert.deepEqual(ids(sortedJobs(rows, "constructor")), ids(sortedJobs(rows, "end")));
});

test("a job is found by its id, an array by its number, the newest run first", () => {
  assert.equal(jobNamed(rows, "7").id, "7");
  assert.equal(jobNamed(rows, "9").runs.length, 3);
  assert.equal(jobNamed(rows, "9_1").state, "FAILED");
  assert.equal(jobNamed(rows, "8"), null);
});
