import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { readReport } from "../../common/report.js";
import { typesNow } from "./types_now.js";

const golden = (name) => readFileSync(new URL(`../../../tests/data/golden/${name}`, import.meta.url), "utf8");
const dataOf = () => readReport(golden("data_avery.json")).data;

test("GPU types are told with their own limit, those that nobody holds too", () => {
  const types = typesNow(dataOf(), "NGPUS");
  const told = types.map((gpu) => [gpu.type, gpu.count, gpu.limit.kind, gpu.limit.value]);
  assert.deepEqual(told, [
    ["a100", 2, "limit", 0],
    ["v100", 0, "none", null],
  ]);
});

test("a single GPU type is told only where it has a limit of its own", () => {
  const data = dataOf();
  data.now.total = { NGPUS: 3, "NGPUS:v100": 3 };
  assert.deepEqual(typesNow(data, "NGPUS"), []);
  data.limits["NGPUS:v100"] = { kind: "limit", value: 4, source: "" };
  assert.deepEqual(
    typesNow(data, "NGPUS").map((gpu) => gpu.limit.value),
    [4],
  );
});
