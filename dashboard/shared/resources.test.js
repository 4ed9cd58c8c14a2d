import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { readReport } from "./report.js";
import {
  chartedOf,
  isTracked,
  labelOf,
  nameOf,
  picturedOf,
  resourcesOf,
  trackedOf,
  unitOf,
  wantedOf,
} from "./resources.js";

const golden = (name) => readFileSync(new URL(`../../tests/data/golden/${name}`, import.meta.url), "utf8");
const dataOf = () => readReport(golden("data_avery.json")).data;

test("what is not tracked is told by the file", () => {
  const data = dataOf();
  assert.ok(isTracked(data, "NGPUS"));
  data.untracked = ["NGPUS"];
  assert.ok(!isTracked(data, "NGPUS"));
  assert.ok(isTracked(data, "NCPUS"));
});

const LICENCES = { key: "LIC", tres: "license", name: "Licences", unit: "licences", hours: "licence-hours" };
const rowOf = (key, pictured, whole) => ({ key, tres: "", name: key, unit: "", hours: "", pictured, whole });
const LIST = [
  rowOf("NCPUS", true, true),
  { ...LICENCES, pictured: true, whole: true },
  rowOf("MEMORY", true, false),
  rowOf("X", false, true),
];

test("resources are those of the data's list, in its order", () => {
  const data = { ...dataOf(), resources: LIST };
  assert.deepEqual(picturedOf(data), ["NCPUS", "LIC", "MEMORY"]);
  assert.deepEqual(chartedOf(data), ["NCPUS", "LIC", "MEMORY", "WANTED:NCPUS"]);
  assert.deepEqual(trackedOf({ ...data, untracked: ["LIC"] }), ["NCPUS", "MEMORY"]);
  assert.equal(nameOf(data, "WANTED:LIC"), "Licences that waiting jobs want");
  assert.equal(unitOf(data, "LIC").hours, "licence-hours");
  assert.equal(labelOf(data, "LIC"), "Licences");
  assert.equal(unitOf(data, "NGPUS:a100").unit, "GPUs");
});

test("data of before the list tell the same by their names and units", () => {
  const data = dataOf();
  delete data.resources;
  assert.deepEqual(picturedOf(data), ["NCPUS", "NGPUS", "MEMORY", "NJOBS"]);
  assert.deepEqual(wantedOf(data), ["WANTED:NCPUS", "WANTED:NGPUS"]);
  assert.deepEqual(
    resourcesOf(data).map((resource) => [resource.key, resource.whole]),
    [
      ["NCPUS", true],
      ["NGPUS", true],
      ["MEMORY", false],
      ["NJOBS", true],
      ["BILLING", true],
    ],
  );
  assert.equal(labelOf(data, "MEMORY"), "Memory (GiB)");
  assert.deepEqual(wantedOf({ ...data, waiting: undefined }), []);
});

test("what no list knows has its key for a name", () => {
  const data = dataOf();
  assert.deepEqual(unitOf(data, "constructor"), { name: "constructor", unit: "", hours: "constructor-hours" });
  assert.equal(labelOf(data, "__proto__"), "__proto__");
});
