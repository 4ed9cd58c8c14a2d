import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { totalsIn } from "./totals.js";

const PICTURED = ["NCPUS", "NGPUS", "MEMORY", "NJOBS"];
const data = JSON.parse(readFileSync(new URL("../../../tests/data/golden/data_avery.json", import.meta.url), "utf8"));
const [begin, end] = [data.edges[0], data.metadata.last_updated_epoch];

function near(one, other) {
  assert.ok(Math.abs(one - other) <= 1e-5 * Math.max(1e-3, Math.abs(other)), `${one} is not ${other}`);
}

test("everything is what the data say", () => {
  const { rows, total, endedElsewhen } = totalsIn(data, null);
  assert.deepEqual(
    rows.map((row) => row.user),
    data.users,
  );
  assert.equal(total, data.totals.total);
  assert.equal(endedElsewhen, false);
});

test("the whole range, summed bin by bin, is the same", () => {
  const { rows, total } = totalsIn(data, { from: begin, to: end });
  assert.deepEqual(new Set(rows.map((row) => row.user)), new Set(data.users));
  for (const { user, hours, ended } of rows) {
    for (const key of PICTURED) near(hours[key], data.totals.users[user].hours[key]);
    assert.deepEqual({ ...ended }, data.totals.users[user].ended);
  }
  for (const key of PICTURED) near(total.hours[key], data.totals.total.hours[key]);
  assert.deepEqual({ ...total.ended }, data.totals.total.ended);
});

test("ranges side by side add up where bins meet, hours and runs", () => {
  for (const cut of [data.edges[1], data.edges[7], data.edges[19]]) {
    const parts = [totalsIn(data, { from: begin, to: cut }), totalsIn(data, { from: cut, to: end })];
    for (const key of PICTURED) {
      near(parts[0].total.hours[key] + parts[1].total.hours[key], data.totals.total.hours[key]);
    }
    const runs = parts.map(({ total }) => Object.values(total.ended).reduce((sum, count) => sum + count, 0));
    assert.equal(runs[0] + runs[1], 6);
  }
});

test("hours and runs are those of the same time: of all bins that the range touches", () => {
  const [from, to] = [data.edges[3], data.edges[4]];
  const whole = totalsIn(data, { from, to });
  assert.deepEqual({ ...whole.total.ended }, { COMPLETED: 1, TIMEOUT: 1 });
  for (const cut of [
    { from: from + 1, to },
    { from, to: to - 1 },
    { from: from + 600, to: to - 600 },
  ]) {
    assert.deepEqual(totalsIn(data, cut), whole);
  }
});

test("an empty range has nobody, and one with little leaves out who did nothing", () => {
  assert.deepEqual(totalsIn(data, { from: end, to: end }).rows, []);
  const { rows } = totalsIn(data, { from: data.edges[1], to: data.edges[2] });
  for (const row of rows) assert.ok(PICTURED.some((key) => row.hours[key] > 0) || Object.keys(row.ended).length);
});

test("older data do not tell when runs ended", () => {
  const { ended, ...older } = data;
  assert.ok(ended);
  const { total, endedElsewhen } = totalsIn(older, { from: begin, to: end });
  assert.equal(endedElsewhen, true);
  assert.deepEqual({ ...total.ended }, {});
});

test("a user may be called anything", () => {
  const odd = structuredClone(data);
  for (const name of ["constructor", "__proto__", "toString"]) {
    odd.users.push(name);
    for (const key of PICTURED) {
      Object.defineProperty(odd.observables[key], name, { value: data.time_idxs.map(() => 1), enumerable: true });
    }
  }
  const { rows } = totalsIn(odd, { from: begin, to: begin + 7200 });
  for (const name of ["constructor", "__proto__", "toString"]) {
    near(rows.find((row) => row.user === name).hours.NCPUS, 2);
  }
});
