import assert from "node:assert/strict";
import { test } from "node:test";
import { allocationWords, monthName, monthNote, monthRows, monthsOf, olderRule, paceLines } from "./months.js";

const DAY = 86400;
const month = {
  month: "2026-11",
  from: 0,
  to: 30 * DAY,
  known_from: 0,
  known_to: 20 * DAY,
  complete: false,
  total: { hours: { NCPUS: 10 } },
};

test("the newest month comes first, and has a name", () => {
  assert.deepEqual(
    monthsOf({ months: [{ month: "2026-10" }, { month: "2026-11" }] }).map(({ month: name }) => name),
    ["2026-11", "2026-10"],
  );
  assert.deepEqual(monthsOf({}), []);
  assert.equal(monthName("2026-02"), "February 2026");
});

test("a month that is not whole says so", () => {
  assert.equal(monthNote(month, "UTC"), "not over: up to Jan 21, 1970");
  assert.equal(monthNote({ ...month, known_from: 5 * DAY, known_to: 30 * DAY }, "UTC"), "known from Jan 6, 1970 on");
  assert.equal(monthNote({ ...month, complete: true }, "UTC"), "");
});

test("hours of the older rule say so", () => {
  assert.equal(
    olderRule({ ...month, older_rule_to: 5 * DAY }, "UTC"),
    "Up to Jan 6, 1970 suspended jobs count as holding nothing, as an older release had it.",
  );
  assert.equal(olderRule({ ...month, older_rule_to: null }, "UTC"), "");
  assert.equal(olderRule(month, "UTC"), "", "data of an older release do not tell");
});

test("rows by the largest share, names as they are", () => {
  const users = JSON.parse(
    '{"bob": {"hours": {"NCPUS": 7}}, "__proto__": {"hours": {"NCPUS": 1}}, "amy": {"hours": {"NCPUS": 1}}, "zoe": {"hours": {"NCPUS": 1}}}',
  );
  assert.deepEqual(
    monthRows({ ...month, users }, "users", ["NCPUS"]).map(({ name }) => name),
    ["bob", "__proto__", "amy", "zoe"],
  );
  assert.deepEqual(monthRows(month, "accounts", ["NCPUS"]), []);
});

const allocation = {
  unit: "GPU-hours",
  amount: 1000,
  from: 0,
  to: 100 * DAY,
  now: 50 * DAY,
  used: 400,
  even: 500,
  projected: 800,
  known_from: 0,
  days: [0, 25 * DAY, 50 * DAY],
  cumulative: [0, 100, 400],
};

test("an allocation in words", () => {
  assert.equal(
    allocationWords(allocation, "UTC"),
    "400 of 1,000 GPU-hours used since Jan 1, 1970 (40 %). Even use would have come to 500 by now, so this is 80 % of the pace. At the pace so far 800 (80 %) will be used by Apr 11, 1970.",
  );
  assert.match(
    allocationWords({ ...allocation, known_from: 10 * DAY }, "UTC"),
    /Use before Jan 11, 1970 is not known here and not counted\.$/,
  );
});

test("the pace line lies in its box", () => {
  const lines = paceLines(allocation, 100, 106);
  assert.equal(lines.used, "M0.0 106.0L25.0 96.0L50.0 66.0");
  assert.equal(lines.now, 50);
  assert.ok(Math.abs(lines.whole - 6) < 1e-9);
  assert.equal(lines.ahead, "M50.0 66.0L100 26.0");
  assert.ok(
    Number.isFinite(
      paceLines({ ...allocation, amount: 0, used: 0, projected: 0, days: [], cumulative: [] }, 100, 106).whole,
    ),
  );
});

test("where less than a day is known nothing is foretold", () => {
  const young = { ...allocation, projected: null };
  assert.equal(paceLines(young, 100, 106).ahead, "");
  assert.ok(!allocationWords(young, "UTC").includes("At the pace so far"));
});
