import assert from "node:assert/strict";
import { test } from "node:test";

import { extremes, heatOf } from "./heat.js";

const MONDAY = Date.UTC(2026, 9, 19) / 1000; // 2026-10-19T00:00Z
const LIMIT = { kind: "limit", value: 10, source: "" };

function dataOf(begin, seconds, means, { limit = LIMIT, end } = {}) {
  const edges = Array.from({ length: means.length + 1 }, (_, bin) => begin + bin * seconds);
  return {
    edges,
    time_idxs: means.map(String),
    users: ["a", "constructor"],
    limits: { NCPUS: limit },
    observables: { NCPUS: { a: means, constructor: means.map(() => 1) } },
    metadata: { last_updated_epoch: end ?? edges.at(-1) },
  };
}

test("each hour of the week has the mean of all its hours", () => {
  const twoWeeks = Array.from({ length: 14 * 24 }, (_, hour) => (hour < 7 * 24 ? 2 : 4));
  const { cells, whole, isLimit } = heatOf(dataOf(MONDAY, 3600, twoWeeks), null, "NCPUS", "UTC");
  assert.ok(
    cells.flat().every((value) => value === 4),
    "2 and 4, and 1 of the other user",
  );
  assert.deepEqual([whole, isLimit], [10, true]);
});

test("days and hours are those of the zone", () => {
  const one = Array.from({ length: 7 * 24 }, (_, hour) => (hour === 3 ? 9 : 0)); // Monday 03:00Z
  const { cells } = heatOf(dataOf(MONDAY, 3600, one), null, "NCPUS", "US/Eastern");
  assert.equal(cells[6][23], 10, "Sunday 23:00 in summer");
  assert.equal(cells.flat().filter((value) => value > 1).length, 1);
});

test("hours without data are not hours without use", () => {
  const { cells } = heatOf(dataOf(MONDAY, 3600, [5, 5]), null, "NCPUS", "UTC");
  assert.equal(cells.flat().filter((value) => value === null).length, 7 * 24 - 2);
  assert.equal(cells[0][0], 6);
});

test("a long bin counts in all of its hours, a short end for what has passed", () => {
  const { cells } = heatOf(dataOf(MONDAY, 6 * 3600, [5, 11]), null, "NCPUS", "UTC");
  assert.deepEqual(cells[0].slice(0, 12), [6, 6, 6, 6, 6, 6, 12, 12, 12, 12, 12, 12]);
  const cut = heatOf(dataOf(MONDAY, 3600, [5, 5], { end: MONDAY + 3600 }), null, "NCPUS", "UTC");
  assert.equal(cut.cells[0][1], null);
});

test("only the bins of the range count, and those whole", () => {
  const data = dataOf(MONDAY, 1800, [4, 8]);
  assert.equal(heatOf(data, { from: MONDAY + 900, to: MONDAY + 3600 }, "NCPUS", "UTC").cells[0][0], 7);
  assert.equal(heatOf(data, { from: MONDAY + 1800, to: MONDAY + 2000 }, "NCPUS", "UTC").cells[0][0], 9);
});

test("the hour that comes twice counts twice, in its own place", () => {
  const begin = Date.UTC(2026, 10, 1) / 1000; // the clocks of US/Eastern go back on this Sunday
  const { cells } = heatOf(
    dataOf(
      begin,
      3600,
      Array.from({ length: 24 }, (_, hour) => hour),
    ),
    null,
    "NCPUS",
    "US/Eastern",
  );
  assert.equal(cells[6][1], (6 + 7) / 2, "05:00Z and 06:00Z are both 01:00");
  assert.equal(cells[6][2], 8);
});

test("without a limit the highest hour is the whole", () => {
  const { whole, isLimit } = heatOf(
    dataOf(MONDAY, 3600, [5, 2], { limit: { kind: "none", value: null } }),
    null,
    "NCPUS",
    "UTC",
  );
  assert.deepEqual([whole, isLimit], [6, false]);
});

test("the freest and the busiest hour", () => {
  const { cells } = heatOf(dataOf(MONDAY, 3600, [5, 0, 8]), null, "NCPUS", "UTC");
  assert.deepEqual(extremes(cells), {
    least: { day: 0, hour: 1, value: 1, alike: 0 },
    most: { day: 0, hour: 2, value: 9, alike: 0 },
  });
  assert.equal(extremes(cells.map((row) => row.map(() => null))), null);
});

test("hours that are as good as the first are counted", () => {
  const { cells } = heatOf(dataOf(MONDAY, 3600, [5, 0, 8, 0, 0]), null, "NCPUS", "UTC");
  assert.deepEqual(extremes(cells).least, { day: 0, hour: 1, value: 1, alike: 2 });
  assert.equal(extremes(cells).most.alike, 0);
});

test("clocks that go back within a bin take its later hours with them", () => {
  const night = Date.UTC(2026, 10, 1, 4) / 1000; // Sunday 00:00 in New York; at 06:00Z two o'clock becomes one
  const { cells } = heatOf(dataOf(night, 6 * 3600, [5, 11]), null, "NCPUS", "America/New_York");
  assert.deepEqual(cells[6].slice(0, 12), [6, 6, 6, 6, 6, 12, 12, 12, 12, 12, 12, null]);
});

test("clocks that go forward within the last bin leave an hour out", () => {
  const night = Date.UTC(2026, 2, 8, 5) / 1000; // Sunday 00:00 in New York; at 07:00Z two o'clock becomes three
  const { cells } = heatOf(dataOf(night, 6 * 3600, [5]), null, "NCPUS", "America/New_York");
  assert.deepEqual(cells[6].slice(0, 8), [6, 6, null, 6, 6, 6, 6, null]);
});

test("a zone that is half an hour off shares a bin between two hours", () => {
  const { cells } = heatOf(dataOf(MONDAY, 3600, [5, 11]), null, "NCPUS", "Asia/Kolkata"); // 05:30 to 07:30
  assert.deepEqual(cells[0].slice(4, 9), [null, 6, 9, 12, null]);
});
