import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  PICTURED, ageWarning, gpuTypesNow, isTracked, layersOf, limitOf, nowRows, own, readReport, totalOf, totalRows,
} from "./model.js";

const golden = (name) => readFileSync(new URL(`../tests/data/golden/${name}`, import.meta.url), "utf8");
const dataOf = () => readReport(golden("data_avery.json")).data;
const entryOf = (place) => JSON.parse(golden("index.json")).qos[place];
const row = (data, key, user) => data.observables[key][user];

test("only a report of the version that the page knows is taken", () => {
  assert.equal(dataOf().metadata.qos, "avery");
  for (const text of [JSON.stringify({ ...dataOf(), schema_version: 2 }), "null", "[]", "{}", '"x"']) {
    assert.throws(() => readReport(text), /another version/);
  }
  assert.throws(() => readReport('{"schema_version": 1, "us'), SyntaxError);
});

test("a report without one of its parts is refused with the part's name", () => {
  for (const part of ["metadata", "users", "edges", "now", "totals", "limits", "staleness", "colours"]) {
    const data = dataOf();
    delete data[part];
    assert.throws(() => readReport(JSON.stringify(data)), new RegExp(`no ${part}$`));
    assert.throws(() => readReport(JSON.stringify({ ...data, [part]: null })), new RegExp(`no ${part}$`));
  }
});

test("own keys alone are asked for, whatever they are called", () => {
  assert.equal(own({}, "constructor", 0), 0);
  assert.equal(own({}, "__proto__", 0), 0);
  assert.equal(own(JSON.parse('{"__proto__": 5}'), "__proto__", 0), 5);
  assert.equal(own(null, "a", 7), 7);
});

test("the first users have an area each, the rest share one, who held nothing has none", () => {
  const layers = layersOf(dataOf());
  assert.deepEqual(layers.map((layer) => layer.name), ["alice", "bob", "carol", null]);
  assert.equal(layers[0].colour, dataOf().colours.alice);
  assert.equal(layers[3].users, 2); // eve's job ended when it began
});

test("an area has the numbers of the file, the others' their sum", () => {
  const data = dataOf();
  const layers = layersOf(data);
  for (const key of PICTURED) {
    assert.deepEqual(layers[1].means.get(key), row(data, key, "bob"));
    const others = data.users.slice(3).map((user) => row(data, key, user));
    assert.deepEqual(layers[3].means.get(key), data.time_idxs.map((_, bin) => others.reduce((sum, means) => sum + means[bin], 0)));
  }
});

test("the areas together are the sum that the file tells", () => {
  const data = dataOf();
  for (const key of PICTURED) {
    const wanted = data.time_idxs.map((_, bin) => data.users.reduce((sum, user) => sum + row(data, key, user)[bin], 0));
    totalOf(data, layersOf(data), key).forEach((value, bin) => assert.ok(Math.abs(value - wanted[bin]) < 1e-9));
  }
});

test("means times hours are the totals", () => {
  const data = dataOf();
  const hours = data.time_idxs.map((_, bin) => (Math.min(data.edges[bin + 1], data.totals.to) - data.edges[bin]) / 3600);
  for (const key of PICTURED) {
    const sum = totalOf(data, layersOf(data), key).reduce((whole, mean, bin) => whole + mean * hours[bin], 0);
    assert.ok(Math.abs(sum - data.totals.total.hours[key]) < 1e-3, key);
  }
});

test("as many areas as the configuration says, and no others where all have one", () => {
  const data = dataOf();
  data.metadata.top_users = 12;
  assert.deepEqual(layersOf(data).map((layer) => layer.name), data.users.slice(0, -1));
  data.metadata.top_users = 1;
  assert.deepEqual(layersOf(data).map((layer) => layer.users), [1, 4]);
});

test("a user called like the others is not the others", () => {
  const data = dataOf();
  data.users.push("others");
  for (const key of PICTURED) data.observables[key].others = data.time_idxs.map(() => 1);
  data.users.reverse();
  const layers = layersOf(data);
  assert.ok(layers.some((layer) => layer.name === "others"));
  assert.equal(new Set(layers.map((layer) => layer.id)).size, layers.length);
});

test("users called like what every object has", () => {
  const data = dataOf();
  data.users = ["__proto__", "constructor"];
  data.observables.NCPUS = JSON.parse('{"__proto__": [1, 2], "constructor": [3, 4]}');
  const layers = layersOf(data);
  assert.deepEqual(layers.map((layer) => layer.name), ["__proto__", "constructor"]);
  assert.deepEqual(totalOf(data, layers, "NCPUS").slice(0, 3), [4, 6, 0]);
  assert.deepEqual(totalOf(data, layers, "NJOBS"), data.time_idxs.map(() => 0));
  assert.deepEqual(totalRows(data).map((one) => one.hours), [{}, {}]);
});

test("limits: a number, none, and not known", () => {
  const data = dataOf();
  const { kind, value, source } = limitOf(data, "NCPUS");
  assert.deepEqual([kind, value, source], ["limit", 430, "GrpTRES cpu"]);
  assert.equal(limitOf(data, "NJOBS").kind, "none");
  assert.equal(limitOf(data, "NGPUS:h100").kind, "unknown");
  assert.equal(limitOf(data, "constructor").kind, "unknown");
});

test("what is not tracked is told by the file", () => {
  const data = dataOf();
  assert.ok(isTracked(data, "NGPUS"));
  data.untracked = ["NGPUS"];
  assert.ok(!isTracked(data, "NGPUS"));
  assert.ok(isTracked(data, "NCPUS"));
});

test("who holds the largest share of anything comes first, who holds nothing not at all", () => {
  const data = dataOf();
  assert.deepEqual(nowRows(data).map((one) => one.user), ["alice", "bob"]);
  const held = '{"b": {"NCPUS": 1, "NJOBS": 1}, "a": {"NCPUS": 1, "NJOBS": 1}, "__proto__": {"NCPUS": 15, "NGPUS": 2}, "zero": {"NCPUS": 0}}';
  data.now.users = JSON.parse(held);
  assert.deepEqual(nowRows(data).map((one) => one.user), ["__proto__", "a", "b"]);
});

test("the totals have a row for every user in the file's order", () => {
  const data = dataOf();
  const rows = totalRows(data);
  assert.deepEqual(rows.map((one) => one.user), data.users);
  assert.deepEqual(rows[0].hours, data.totals.users.alice.hours);
});

test("GPU types in use are told with their own limit", () => {
  const types = gpuTypesNow(dataOf());
  assert.deepEqual(types.map((gpu) => [gpu.type, gpu.count, gpu.limit.kind, gpu.limit.value]), [["a100", 2, "limit", 0]]);
});

test("no warning while all is in time", () => {
  const data = dataOf();
  const updated = data.metadata.last_updated_epoch;
  assert.equal(ageWarning(entryOf(0), data, updated + 3 * 600), null);
  assert.equal(ageWarning(entryOf(2), null, updated), null);
});

test("data that did not come for three intervals are told to be old", () => {
  const data = dataOf();
  const updated = data.metadata.last_updated_epoch;
  assert.deepEqual(ageWarning(entryOf(0), data, updated + 3 * 600 + 1), { kind: "silent", since: updated, reason: null });
});

test("data that say so themselves are old, with their reason", () => {
  const data = dataOf();
  data.staleness = { stale: true, since: 1793500000, reason: "sacct: Connection refused" };
  const told = { kind: "stale", since: 1793500000, reason: "sacct: Connection refused" };
  assert.deepEqual(ageWarning(entryOf(0), data, 1793560200), told);
});

test("the index tells of data that cannot be shown", () => {
  const bruno = entryOf(1);
  assert.deepEqual(ageWarning(bruno, null, 1793560200), { kind: "stale", since: bruno.since, reason: "sacct: Connection refused" });
});
