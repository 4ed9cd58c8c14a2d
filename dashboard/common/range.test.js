import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { plainView } from "../page/view.js";
import { binsIn, drawnRange, movedRange, rangeOf, rangesOf, wholeOf } from "./range.js";

const data = JSON.parse(readFileSync(new URL("../../tests/data/golden/data_avery.json", import.meta.url), "utf8"));
const HOUR = 3600;
const { from, to } = wholeOf(data);
const sum = (values) => values.reduce((whole, value) => whole + value, 0);

test("ranges that would show everything are not offered", () => {
  assert.equal((to - from) / HOUR, 25 + 1 / 6);
  assert.deepEqual(rangesOf(data), ["6h", "12h", "24h"]);
});

test("a range ends where the data end, and goes on with them", () => {
  assert.deepEqual(rangeOf(plainView({ range: "6h" }), data), { range: { from: to - 6 * HOUR, to }, outside: false });
  const newer = { ...data, metadata: { ...data.metadata, last_updated_epoch: to + 600 } };
  assert.deepEqual(rangeOf(plainView({ range: "6h" }), newer).range, { from: to + 600 - 6 * HOUR, to: to + 600 });
  assert.deepEqual(rangeOf(plainView({ from: to - HOUR, to }), newer).range, { from: to - HOUR, to });
});

test("everything, and what is longer than the data, is all", () => {
  for (const range of ["all", "30d"]) {
    assert.deepEqual(rangeOf(plainView({ range }), data), { range: null, outside: false });
  }
  assert.deepEqual(rangeOf(plainView({ from: 0, to: to + 5 }), data), { range: null, outside: false });
});

test("from and to are cut to the data; where there are none nothing is left", () => {
  assert.deepEqual(rangeOf(plainView({ from: 0, to: from + 60 }), data).range, { from, to: from + 60 });
  assert.deepEqual(rangeOf(plainView({ from: 0, to: from }), data), { range: { from, to: from }, outside: true });
  assert.deepEqual(rangeOf(plainView({ from: to, to: to + 9 }), data), { range: { from: to, to }, outside: true });
});

test("a range has all of the bins that it touches, from when to when they go", () => {
  assert.equal(sum(binsIn(data, null).seconds), to - from);
  assert.equal(binsIn(data, null).seconds.at(-1), 600);
  assert.deepEqual(binsIn(data, { from: from + 1800, to: from + 2 * HOUR + 60 }), {
    from,
    to: from + 3 * HOUR,
    first: 0,
    seconds: [HOUR, HOUR, HOUR],
  });
  const second = { from: from + HOUR, to: from + 2 * HOUR };
  assert.deepEqual(binsIn(data, second), { ...second, first: 1, seconds: [HOUR] });
  const last = { from: to - 600, to, first: data.time_idxs.length - 1, seconds: [600] };
  assert.deepEqual(binsIn(data, { from: to - 60, to }), last);
  for (const at of [from, to]) assert.deepEqual(binsIn(data, { from: at, to: at }).seconds, []);
});

test("a range moves by half of itself, and not beyond the data", () => {
  const range = { from: from + 10 * HOUR, to: from + 14 * HOUR };
  assert.deepEqual(movedRange(data, range, -1), { from: from + 8 * HOUR, to: from + 12 * HOUR });
  assert.deepEqual(movedRange(data, range, 1), { from: from + 12 * HOUR, to: from + 16 * HOUR });
  assert.deepEqual(movedRange(data, { from: from + HOUR, to: from + 5 * HOUR }, -1), { from, to: from + 4 * HOUR });
  assert.deepEqual(movedRange(data, { from: to - 5 * HOUR, to: to - HOUR }, 1), { from: to - 4 * HOUR, to });
});

test("a stretch drawn with the mouse is whole minutes within the data, and never less than a bin", () => {
  assert.deepEqual(drawnRange(data, from + 3605.2, from + 7209.9), { from: from + 3600, to: from + 7200 });
  assert.deepEqual(drawnRange(data, from + 7200, from + 7200), { from: from + 5400, to: from + 9000 });
  assert.deepEqual(drawnRange(data, from - 900, from + 2700), { from, to: from + 3600 });
  assert.deepEqual(drawnRange(data, to - 600, to + 6600), { from: to - 7200, to });
  assert.deepEqual(drawnRange(data, from - 900, to + 900), { from, to });
});
