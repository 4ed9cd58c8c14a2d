import assert from "node:assert/strict";
import { test } from "node:test";
import { policyRow, pressureIn } from "./pressure.js";

const HOUR = 3600;
const limit = (value) => ({ kind: "limit", value, source: "GrpTRES" });
const dataOf = (changes = {}) => ({
  edges: [0, HOUR, 2 * HOUR, 3 * HOUR],
  metadata: { last_updated_epoch: 2.5 * HOUR },
  untracked: [],
  now: { total: { NCPUS: 40, NGPUS: 1 } },
  limits: {
    NCPUS: limit(100),
    NGPUS: { kind: "none", value: null, source: "" },
    MEMORY: { kind: "unknown", value: null, source: "" },
  },
  peaks: { NCPUS: [10, 99, 40], NGPUS: [1, 1, 1] },
  near: { NCPUS: [0, 1800, 600] },
  nice_names: { NCPUS: "CPUs", NGPUS: "GPUs", MEMORY: "Memory" },
  pressure: { NCPUS: { longest: null, holders: [{ user: "constructor", mean: 90, share: 0.9 }] } },
  ...changes,
});

test("what has a limit, and nothing else", () => {
  assert.deepEqual(
    pressureIn(dataOf(), null).map((row) => row.key),
    ["NCPUS"],
  );
  assert.deepEqual(pressureIn(dataOf({ untracked: ["NCPUS"] }), null), []);
});

test("a limit that is gone now is told of where it was reached", () => {
  const data = dataOf();
  data.limits.NCPUS = { kind: "none", value: null, source: "" };
  assert.equal(pressureIn(data, null)[0].near, 2400);
  assert.equal(pressureIn(data, null)[0].share, null);
});

test("the highest use and the time at the limit follow the range", () => {
  const whole = pressureIn(dataOf(), null)[0];
  assert.deepEqual(whole.peak, { value: 99, from: HOUR, to: 2 * HOUR });
  assert.equal(whole.near, 2400);
  assert.equal(whole.share, 0.4);
  const last = pressureIn(dataOf(), { from: 2 * HOUR, to: 2.5 * HOUR })[0];
  assert.deepEqual(last.peak, { value: 40, from: 2 * HOUR, to: 2.5 * HOUR });
  assert.equal(last.near, 600);
  assert.equal(pressureIn(dataOf(), { from: 1.5 * HOUR, to: 2 * HOUR })[0].near, 1800); // the whole bin
});

test("data of before this was told are not taken for data without use", () => {
  const row = pressureIn(dataOf({ peaks: undefined, near: undefined, pressure: undefined }), null)[0];
  assert.deepEqual([row.peak, row.near, row.holders], [null, null, []]);
});

test("a limit of 0 has no share", () => {
  const data = dataOf();
  data.limits.NCPUS = limit(0);
  assert.equal(pressureIn(data, null)[0].share, null);
});

test("limits in words", () => {
  const row = {
    per: "user",
    resource: "cpu",
    name: "CPUs",
    unit: "CPUs",
    limit: 200,
    of: "QoS avery",
    setting: "MaxTRESPerUser",
    used: 50,
    by: "alice",
    binds: true,
  };
  assert.deepEqual(policyRow(row), {
    per: "a user",
    what: "CPUs",
    limit: "200",
    used: "50",
    by: "alice",
    share: 0.25,
    of: "QoS avery",
    setting: "MaxTRESPerUser",
    binds: true,
  });
  assert.equal(policyRow({ ...row, unit: "s", name: "walltime", limit: 14 * 86400, used: null }).limit, "14 d");
  assert.equal(policyRow({ ...row, unit: "GiB", name: "memory", limit: 3359, used: null }).limit, "3,359 GiB");
  assert.equal(policyRow({ ...row, limit: 0 }).share, null);
});
