import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { readReport } from "./report.js";
import { isTracked } from "./resources.js";

const golden = (name) => readFileSync(new URL(`../../tests/data/golden/${name}`, import.meta.url), "utf8");
const dataOf = () => readReport(golden("data_avery.json")).data;

test("what is not tracked is told by the file", () => {
  const data = dataOf();
  assert.ok(isTracked(data, "NGPUS"));
  data.untracked = ["NGPUS"];
  assert.ok(!isTracked(data, "NGPUS"));
  assert.ok(isTracked(data, "NCPUS"));
});
