import assert from "node:assert/strict";
import { test } from "node:test";
import { changeOf } from "../../common/format.js";
import { weeksOf } from "./weeks.js";

const resource = (key, hours) => ({ key, name: key, title: key, unit: key, one: key, hours, pictured: true });
const week = (to, hours, more) => ({ from: to - 604800, to, hours, jobs: 10, failed: 1, median_wait: 120, ...more });
const dataOf = (spans, changes = []) => ({
  resources: [resource("NCPUS", "CPU-hours"), resource("NGPUS", "GPU-hours")],
  untracked: [],
  weeks: { spans, changes },
});
const TO = 1_793_000_000;

test("two weeks stand side by side, with the change", () => {
  const spans = [
    week(TO, { NCPUS: 150, NGPUS: 0 }, { jobs: 20 }),
    week(TO - 604800, { NCPUS: 100, NGPUS: 5 }, { failed: 0, median_wait: null }),
  ];
  const told = weeksOf(dataOf(spans, [{ user: "ann", key: "NGPUS", hours: 0, before: 5 }]), "UTC");
  assert.deepEqual(
    told.rows.map(({ label, cells }) => [label, ...cells]),
    [
      ["CPU-hours", "150", "100", "+50 %"],
      ["GPU-hours", "0", "5", "-100 %"],
      ["Jobs that ended", "20", "10", "+100 %"],
      ["Of them failed", "5 %", "0 %", ""],
      ["Median wait", "2 min", "–", ""],
    ],
  );
  assert.deepEqual(told.changes, [{ user: "ann", text: "0 GPU-hours, 5 the week before" }]);
});

test("with one week, or data of before weeks, nothing is compared", () => {
  assert.equal(weeksOf(dataOf([week(TO, {})]), "UTC"), null);
  assert.equal(weeksOf({ ...dataOf([]), weeks: undefined }, "UTC"), null);
});

test("a change is told as a share of what was before", () => {
  assert.deepEqual(
    [changeOf(0, 0), changeOf(3, 0), changeOf(1, 2), changeOf(2000, 1), changeOf(2, 1000), changeOf(10_001, 10_000)],
    ["same", "new", "-50 %", "+199,900 %", "< -99 %", "< +0.1 %"],
  );
});
