import assert from "node:assert/strict";
import { test } from "node:test";
import { unknownTimes, usePaths, useRow, useRows, useWords, usedIn, usedKeys } from "./efficiency.js";

const HOUR = 3600;
const use = (allocated, measured, used) => ({ allocated_hours: allocated, measured_hours: measured, used_hours: used });
const sums = (from, to, users) => ({
  ...{ from, to, total: { MEMORY: use(9, 9, 1), NCPUS: use(100, 91, 56.42) }, users, accounts: {}, partitions: {} },
});
const dataOf = (efficiency) => ({
  resources: [{ key: "NCPUS", name: "CPUs", hours: "CPU-hours" }],
  units: { NCPUS: { name: "CPUs", unit: "CPUs", hours: "CPU-hours" } },
  metadata: { last_updated_epoch: 10 * HOUR },
  edges: Array.from({ length: 11 }, (_, hour) => hour * HOUR),
  time_idxs: new Array(10).fill(""),
  efficiency,
});
const whole = sums(0, 10 * HOUR, { ann: { NCPUS: use(10, 10, 12) }, bob: { NCPUS: use(5, 0, null) }, cat: {} });
const six = sums(4 * HOUR, 10 * HOUR, {});
const told = { known: [[0, 10 * HOUR]], until: 10 * HOUR, ...whole, ranges: { "6h": six }, bins: {} };

test("the stretch that fits a range is the same, or the shortest that holds it", () => {
  const data = dataOf(told);
  assert.deepEqual(usedIn(data, null), { sums: told, exact: true });
  assert.deepEqual(usedIn(data, { from: 4 * HOUR, to: 10 * HOUR }), { sums: six, exact: true });
  assert.equal(usedIn(data, { from: 8 * HOUR, to: 9 * HOUR }).sums, six);
  assert.equal(usedIn(data, { from: 8 * HOUR, to: 9 * HOUR }).exact, false);
  assert.equal(usedIn(data, { from: HOUR, to: 10 * HOUR }).sums, told);
  assert.equal(usedIn(data, { from: HOUR, to: 10 * HOUR }).exact, false);
  assert.equal(usedIn(dataOf(undefined), null), null);
});

test("resources stand in the order of their table", () => {
  assert.deepEqual(usedKeys(dataOf(told), whole), ["NCPUS", "MEMORY"]);
});

test("what is not measured is null, and what was used beyond what was held stays", () => {
  const rows = useRows(whole, "users", "NCPUS");
  assert.deepEqual(
    rows.map(({ user, used, unused, efficiency, coverage }) => [user, used, unused, efficiency, coverage]),
    [
      ["ann", 12, -2, 1.2, 1],
      ["bob", null, null, null, 0],
    ],
  );
  assert.equal(useRow(null, use(0, 0, null)).coverage, null);
});

test("a percentage never stands without how much of it is known", () => {
  assert.equal(
    useWords(dataOf(told), whole, "NCPUS"),
    "62 % used (known for 91 % of the CPU-hours); 34.6 CPU-hours unused.",
  );
  const silent = { ...whole, total: { NCPUS: use(100, 0, null) } };
  assert.equal(useWords(dataOf(told), silent, "NCPUS"), "CPU-hours: not measured on this cluster.");
});

test("the picture is of the range alone", () => {
  const row = (value) => new Array(10).fill(0).with(8, value);
  const bins = { NCPUS: { allocated: row(4), measured: row(4), used: row(2) } };
  const paths = usePaths(dataOf({ ...told, bins }), { from: 8 * HOUR, to: 10 * HOUR }, "NCPUS", 100, 10);
  assert.equal(paths.most, 4);
  assert.equal(paths.allocated, "M0 10V0.0H50.0V10.0H100.0V10Z");
  assert.equal(paths.used, "M0 10V5.0H50.0V10.0H100.0V10Z");
  assert.equal(usePaths(dataOf({ ...told, bins }), { from: 0, to: 2 * HOUR }, "NCPUS", 100, 10), null);
  assert.equal(usePaths(dataOf(told), null, "NCPUS", 100, 10), null);
});

test("what is not known is said", () => {
  assert.deepEqual(unknownTimes(dataOf(told), "UTC"), []);
  assert.deepEqual(unknownTimes(dataOf({ ...told, known: [[2 * HOUR, 8 * HOUR]] }), "UTC"), [
    "Jobs that ended before Thu, Jan 1, 02:00 UTC are not in it.",
    "Nothing newer is known since Thu, Jan 1, 08:00 UTC.",
  ]);
  const torn = { ...told, known: [[0, HOUR], [2 * HOUR, 10 * HOUR]] }; // prettier-ignore
  assert.deepEqual(unknownTimes(dataOf(torn), "UTC"), ["Nor are those of some times between."]);
  assert.equal(unknownTimes(dataOf({ ...told, known: [] }), "UTC").length, 1);
});
