import assert from "node:assert/strict";
import { test } from "node:test";
import {
  askWords,
  binWords,
  costWords,
  distributionOf,
  findingsIn,
  nothingWords,
  priceWords,
  sizeWords,
} from "./found.js";

const shape = { cpus: 4, gpus: 0, memory_gib: 64, nodes: 1, time: "10:00", memory: "14G" };
const dataOf = (efficiency) => ({
  resources: [{ key: "NCPUS", name: "CPUs", hours: "CPU-hours" }],
  units: { NCPUS: { name: "CPUs", unit: "CPUs", hours: "CPU-hours" } },
  efficiency,
});

test("bins are ten, and two for what is more and what is not known", () => {
  assert.deepEqual([0, 9, 10, 11].map(binWords), ["0–10 %", "90–100 %", "more than allocated", "not measured"]);
});

test("the distribution is drawn by its largest bin, and not where nothing was held", () => {
  const hours = [4, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 8];
  const jobs = hours.map((value) => (value ? 1 : 0));
  const rows = distributionOf(dataOf({ distribution: { resources: { NCPUS: { jobs, hours } } } }), "NCPUS");
  assert.deepEqual(
    rows.filter(({ hours: some }) => some).map(({ words, share }) => [words, share]),
    [
      ["0–10 %", 0.5],
      ["90–100 %", 0.25],
      ["not measured", 1],
    ],
  );
  const none = hours.map(() => 0);
  assert.equal(
    distributionOf(dataOf({ distribution: { resources: { NCPUS: { jobs, hours: none } } } }), "NCPUS"),
    null,
  );
  assert.equal(distributionOf(dataOf({ distribution: { resources: {} } }), "NCPUS"), null);
  assert.equal(distributionOf(dataOf(undefined), "NCPUS"), null);
});

test("a finding's hours are in the resource's own unit", () => {
  const one = { resource: "NCPUS", hours: 120, killed: false };
  assert.equal(costWords(dataOf({}), one), "120 CPU-hours unused");
  assert.equal(costWords(dataOf({}), { ...one, killed: true }), "120 CPU-hours held");
  assert.equal(costWords(dataOf({}), { ...one, resource: null, hours: null }), "–");
});

test("what to ask for", () => {
  assert.equal(sizeWords(shape), "4 CPUs, 64 GiB");
  assert.equal(sizeWords({ ...shape, cpus: 1, gpus: 1, memory_gib: 0, nodes: 2 }), "1 CPU, 1 GPU, 2 nodes");
  assert.equal(askWords(shape), "--time=10:00 --mem=14G");
  assert.equal(askWords({ ...shape, time: null }), "--mem=14G");
});

test("what unused hours stand for is an estimate, and only where there is a rate", () => {
  const told = dataOf({ prices: { currency: "EUR", hour: { NCPUS: 0.02 }, co2_hour: { NGPUS: 200 } } });
  assert.match(priceWords(told, "NCPUS", 1000), /about 20 EUR: an estimate/);
  assert.match(priceWords(told, "NGPUS:a100", 10), /about 2 kg of CO2: an estimate/);
  assert.equal(priceWords(told, "MEMORY", 10), null);
  assert.equal(priceWords(told, "NCPUS", null), null);
  assert.equal(priceWords(told, "NCPUS", -3), null);
  assert.equal(priceWords(dataOf({}), "NCPUS", 10), null);
});

test("findings are those of the shortest stretch that holds the range", () => {
  const part = (from) => ({ from, to: 900, jobs: from, rules: [] });
  const data = dataOf({ findings: { ...part(0), ranges: { week: part(200), day: part(700) } } });
  const begins = [null, 100, 200, 650, 700, 800].map((from) => findingsIn(data, from && { from, to: 900 }).from);
  assert.deepEqual(begins, [0, 0, 200, 200, 700, 700]);
  assert.equal(findingsIn(dataOf({}), null), null);
});

test("nothing found is no praise where nothing is measured, or nothing ended", () => {
  const hours = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8];
  const dataWith = (some) => dataOf({ distribution: { resources: { NCPUS: { hours: some, jobs: some } } } });
  assert.equal(nothingWords(dataWith(hours), { jobs: 5 }), "Nothing stands out; what these jobs used is not measured.");
  assert.equal(nothingWords(dataWith([1, ...hours.slice(1)]), { jobs: 5 }), "Nothing stands out.");
  assert.equal(nothingWords(dataWith(hours), { jobs: 0 }), "No job is known that ended in this time.");
});
