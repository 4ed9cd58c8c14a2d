import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { readReport } from "./report.js";
import {
  chartedOf,
  countOf,
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

const WORDS = { name: "Tape", title: "Tape (reels)", unit: "reels", one: "reel", hours: "reel-hours" };
const rowOf = (key, changes) => ({ key, tres: "", name: key, title: key, unit: "", one: "", hours: "", ...changes });
const LIST = [
  rowOf("NCPUS", { pictured: true }),
  rowOf("LIC", { ...WORDS, pictured: true }),
  rowOf("MEMORY", { pictured: true, unit: "GiB" }),
  rowOf("X", { pictured: false }),
];

test("resources are those of the data's list, in its order", () => {
  const data = { ...dataOf(), resources: LIST };
  assert.deepEqual(picturedOf(data), ["NCPUS", "LIC", "MEMORY"]);
  assert.deepEqual(chartedOf(data), ["NCPUS", "LIC", "MEMORY", "WANTED:NCPUS"]);
  assert.deepEqual(trackedOf({ ...data, untracked: ["LIC"] }), ["NCPUS", "MEMORY"]);
  assert.equal(nameOf(data, "WANTED:LIC"), "Tape that waiting jobs want");
  assert.equal(unitOf(data, "LIC").hours, "reel-hours");
  assert.equal(labelOf(data, "LIC"), "Tape (reels)");
  assert.deepEqual([countOf(data, "LIC", 1), countOf(data, "LIC", 2)], ["1 reel", "2 reels"]);
  assert.deepEqual([countOf(data, "MEMORY", 1), countOf(data, "MEMORY", 2)], ["1 GiB", "2 GiB"]);
  assert.equal(unitOf(data, "NGPUS:a100").unit, "GPUs");
});

test("data of before the list tell the same by their names and units", () => {
  const data = dataOf();
  delete data.resources;
  assert.deepEqual(picturedOf(data), ["NCPUS", "NGPUS", "MEMORY", "NJOBS"]);
  assert.deepEqual(wantedOf(data), ["WANTED:NCPUS", "WANTED:NGPUS"]);
  assert.deepEqual(
    resourcesOf(data).map((resource) => [resource.key, resource.title, resource.one]),
    [
      ["NCPUS", "CPUs", "CPU"],
      ["NGPUS", "GPUs", "GPU"],
      ["MEMORY", "Memory (GiB)", "GiB"],
      ["NJOBS", "Running jobs", "job"],
      ["BILLING", "Billing (billing units)", "billing unit"],
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
