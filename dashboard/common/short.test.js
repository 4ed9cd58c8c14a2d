import assert from "node:assert/strict";
import { test } from "node:test";
import { rankedBy, shortOf, shortWords } from "./short.js";

const resource = (key) => ({ key, name: key, title: key, unit: key, one: key, hours: `${key}-hours`, pictured: true });
const dataOf = (limits, total, untracked = []) => ({
  resources: ["NCPUS", "NGPUS", "MEMORY"].map(resource),
  untracked,
  limits,
  now: { total, users: {} },
});
const limit = (value, used) => ({ kind: "limit", value, source: "slurm", used });
const none = { kind: "none", value: null, source: "" };

test("what is short is that of which most of the limit is in use", () => {
  const limits = { NCPUS: limit(100, 50), NGPUS: limit(10, 9), MEMORY: limit(1000, 100) };
  assert.equal(shortOf(dataOf(limits, { NCPUS: 50, NGPUS: 9, MEMORY: 100 })), "NGPUS");
  assert.equal(shortOf(dataOf(limits, {}, ["NGPUS"])), "NCPUS");
});

test("without a limit, with one of 0 or one that is shared the first resource is taken", () => {
  assert.equal(shortOf(dataOf({ NCPUS: none, NGPUS: none, MEMORY: none }, { NGPUS: 9 })), "NCPUS");
  assert.equal(shortOf(dataOf({ NGPUS: limit(0, 0), MEMORY: limit(10, null) }, {})), "NCPUS");
});

test("words say which resource is nearest to its limit, or that none is known to be", () => {
  const data = dataOf({ NCPUS: limit(100, 50), NGPUS: limit(10, 9), MEMORY: none }, { NCPUS: 50, NGPUS: 9 });
  assert.equal(shortWords(data, "NGPUS"), "Nearest to a limit now: NGPUS, 90 % in use.");
  const free = dataOf({ NCPUS: none, NGPUS: none, MEMORY: none }, {});
  assert.equal(shortWords(free, "NCPUS"), "No known limit tells which resource is short.");
});

test("users are ranked by one resource, then by any, then by name", () => {
  const rows = { b: { NCPUS: 5 }, a: { NCPUS: 5 }, constructor: { NGPUS: 2 }, c: { NCPUS: 0, MEMORY: 9 } };
  assert.deepEqual(rankedBy(rows, "NCPUS"), ["a", "b", "c", "constructor"]);
});
