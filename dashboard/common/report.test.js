import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { limitOf, own, readReport } from "./report.js";

const golden = (name) => readFileSync(new URL(`../../tests/data/golden/${name}`, import.meta.url), "utf8");
const dataOf = () => readReport(golden("data_avery.json")).data;

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
