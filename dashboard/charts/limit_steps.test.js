import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { wholeOf } from "../common/range.js";
import { highestLimit, limitSteps } from "./limit_steps.js";

const golden = JSON.parse(readFileSync(new URL("../../tests/data/golden/data_avery.json", import.meta.url), "utf8"));
const { from, to } = wholeOf(golden);
const changed = (history) => ({ ...golden, limits: { NCPUS: { ...history.at(-1), history } } });
const entry = (at, kind, value) => ({ from: at, kind, value, source: "" });

test("a limit without a history held all the time", () => {
  const { history: _, ...bare } = golden.limits.NCPUS;
  const data = { ...golden, limits: { NCPUS: bare } };
  assert.deepEqual(limitSteps(data, "NCPUS", null), [{ from, to, value: 430 }]);
  assert.deepEqual(limitSteps(data, "NCPUS", { from: from + 5, to: from + 9 }), [
    { from: from + 5, to: from + 9, value: 430 },
  ]);
});

test("no limit and one that is not known have no stretch; a limit of 0 has", () => {
  for (const kind of ["none", "unknown"]) {
    assert.deepEqual(limitSteps({ ...golden, limits: { NCPUS: { kind, value: null } } }, "NCPUS", null), []);
  }
  assert.deepEqual(limitSteps({ ...golden, limits: {} }, "NCPUS", null), []);
  assert.deepEqual(limitSteps(changed([entry(from, "limit", 0)]), "NCPUS", null), [{ from, to, value: 0 }]);
});

test("changes make stretches, with a gap while there was no limit", () => {
  const data = changed([
    entry(from + 100, "limit", 400),
    entry(from + 200, "none", null),
    entry(from + 300, "limit", 430),
    entry(from + 400, "unknown", null),
    entry(from + 500, "limit", 20),
  ]);
  const steps = [
    { from: from + 100, to: from + 200, value: 400 },
    { from: from + 300, to: from + 400, value: 430 },
    { from: from + 500, to, value: 20 },
  ];
  assert.deepEqual(limitSteps(data, "NCPUS", null), steps);
  assert.deepEqual(limitSteps(data, "NCPUS", { from: from + 150, to: from + 350 }), [
    { from: from + 150, to: from + 200, value: 400 },
    { from: from + 300, to: from + 350, value: 430 },
  ]);
  assert.deepEqual(limitSteps(data, "NCPUS", { from: from + 600, to }), [{ from: from + 600, to, value: 20 }]);
  assert.equal(highestLimit(steps), 430);
  assert.equal(highestLimit([]), 0);
});
