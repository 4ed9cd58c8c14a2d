import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  PICTURED, gpuTypesNow, isTracked, limitOf, nowRows, own, readReport, totalRows,
} from "./model.js";

const golden = (name) => readFileSync(new URL(`../tests/data/golden/${name}`, import.meta.url), "utf8");
const dataOf = () => readReport(golden("data_avery.json")).data;
const row = (data, key, user) => data.observables[key][user];

test("only a report of the version that the page knows is taken", () => {
  assert.equal(dataOf().metadata.qos, "avery");
  for (const text of [JSON.stringify({ ...dataOf(), schema_version: 1 }), "null", "[]", "{}", '"x"']) {
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

test("GPU types are told with their own limit, those that nobody holds too", () => {
  const types = gpuTypesNow(dataOf());
  const told = types.map((gpu) => [gpu.type, gpu.count, gpu.limit.kind, gpu.limit.value]);
  assert.deepEqual(told, [["a100", 2, "limit", 0], ["v100", 0, "none", null]]);
});

test("a single GPU type is told only where it has a limit of its own", () => {
  const data = dataOf();
  data.now.total = { NGPUS: 3, "NGPUS:v100": 3 };
  assert.deepEqual(gpuTypesNow(data), []);
  data.limits["NGPUS:v100"] = { kind: "limit", value: 4, source: "" };
  assert.deepEqual(gpuTypesNow(data).map((gpu) => gpu.limit.value), [4]);
});
