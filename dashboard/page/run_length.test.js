import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { readEncoded, decoded } from "./run_length.js";

test("runs of equal numbers are rows again", () => {
  assert.deepEqual(readEncoded('{"a": {"*": "1*3 2.5 null*2 -0.0 1e-07 -3"}}'), {
    a: [1, 1, 1, 2.5, null, null, -0, 1e-7, -3],
  });
  assert.deepEqual(readEncoded('[{"*": "0*720"}]'), [new Array(720).fill(0)]);
  assert.ok(Object.is(decoded({ "*": "-0.0" })[0], -0));
});

test("parts of an hour, steps, texts and times are what they stand for", () => {
  assert.deepEqual(decoded({ "*": "4756/ 47312/*2 1~3600*3 5" }), [1.321111, 13.14222, 13.14222, 1, 3601, 7201, 5]);
  assert.deepEqual(decoded({ "*": "0*2 1 2", of: ["cpu", null, "*"] }), ["cpu", "cpu", null, "*"]);
  assert.deepEqual(decoded({ "*": "1793509200~3600*3", minutes: "-240 -300 330" }), [
    "2026-11-01T01:00:00-04:00",
    "2026-11-01T01:00:00-05:00",
    "2026-11-01T12:30:00+05:30",
  ]);
});

test("what only looks encoded stays as it is", () => {
  for (const value of ["1*6 2", { a: "0*13" }, ["1*2"], { "x*": 1, "*x": 2 }, null, 5, true, [], {}]) {
    assert.deepEqual(decoded(value), value);
  }
  assert.deepEqual(decoded({ "**": "1*6", "***": { "*": "1*2" } }), { "*": "1*6", "**": [1, 1] });
});

test("a key may be called anything", () => {
  const value = readEncoded('{"__proto__": {"*": "1*2"}, "constructor": {"__proto__": 5}}');
  assert.deepEqual(Object.keys(value), ["__proto__", "constructor"]);
  assert.deepEqual(Object.getOwnPropertyDescriptor(value, "__proto__").value, [1, 1]);
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
  assert.equal(Object.getOwnPropertyDescriptor(value.constructor, "__proto__").value, 5);
});

test("text that is no JSON is refused as such", () => {
  assert.throws(() => readEncoded("{"), SyntaxError);
});

// tests/unit/render/test_run_length.py encodes data into a file, and looks at what comes out here
const [file, plain] = [process.env.LIBRARIAN_ENCODED, process.env.LIBRARIAN_PLAIN];
if (file) {
  test("what Python encoded is decoded", () => {
    assert.deepEqual(readEncoded(readFileSync(file, "utf8")), JSON.parse(readFileSync(plain, "utf8")));
  });
}
