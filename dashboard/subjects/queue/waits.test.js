import assert from "node:assert/strict";
import { test } from "node:test";
import { trendOf, waitsIn } from "./waits.js";

const HOUR = 3600;
const END = 100 * HOUR;
const row = (user, kind, jobs, size = null) => ({ user, kind, size, jobs, median: 10, p90: 20 });
const rows = [
  row(null, "cpu", 9),
  row(null, "cpu", 4, "1"),
  row("alice", "cpu", 2),
  row("alice", "gpu", 3),
  row("bob", "cpu", 4),
];
const columnsOf = (table) =>
  Object.fromEntries(Object.keys(rows[0]).map((name) => [name, table.map((one) => one[name])]));
const columns = columnsOf(rows);
const data = {
  edges: [0, END],
  metadata: { last_updated_epoch: END },
  waits: {
    ranges: {
      "24h": { from: END - 24 * HOUR, to: END, columns: columnsOf([]) },
      "6h": { from: END - 6 * HOUR, to: END, columns },
      all: { from: 0, to: END, columns },
    },
    trend: [
      { from: 0, to: 24 * HOUR, kind: "cpu", jobs: 1, median: 1, p90: 1 },
      { from: 0, to: 24 * HOUR, kind: "gpu", jobs: 2, median: 1, p90: 1 },
    ],
  },
};

test("a range of the page is the same one in the data", () => {
  const found = waitsIn(data, { from: END - 6 * HOUR, to: END });
  assert.deepEqual([found.key, found.exact], ["6h", true]);
  assert.deepEqual([waitsIn(data, null).key, waitsIn(data, null).exact], ["all", true]);
});

test("any other range is told of by the shortest that holds it, and it says so", () => {
  const found = waitsIn(data, { from: END - 5 * HOUR, to: END - HOUR });
  assert.deepEqual([found.key, found.exact], ["6h", false]);
  assert.equal(waitsIn(data, { from: HOUR, to: 2 * HOUR }).key, "all");
});

test("everybody by size, users over all sizes, who started most first", () => {
  const { everybody, users } = waitsIn(data, null);
  assert.deepEqual(
    everybody.map(({ size }) => size),
    [null, "1"],
  );
  assert.deepEqual(
    users.map(({ user, jobs }) => [user, jobs]),
    [
      ["alice", 5],
      ["bob", 4],
    ],
  );
  assert.equal(users[1].gpu, null);
  assert.deepEqual(users[0].gpu, row("alice", "gpu", 3));
});

test("data that tell nothing of it", () => {
  assert.equal(waitsIn({ edges: [0, 1], metadata: { last_updated_epoch: 1 } }, null), null);
  assert.deepEqual(trendOf({}, "cpu"), []);
  assert.deepEqual(
    trendOf(data, "gpu").map(({ jobs }) => jobs),
    [2],
  );
});
