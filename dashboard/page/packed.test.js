import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { readPacked, unpacked } from "./packed.js";

test("runs of equal numbers are rows again", () => {
  assert.deepEqual(readPacked('{"a": {"*": "1*3 2.5 null*2 -0.0 1e-07 -3"}}'), {
    a: [1, 1, 1, 2.5, null, null, -0, 1e-7, -3],
  });
  assert.deepEqual(readPacked('[{"*": "0*720"}]'), [new Array(720).fill(0)]);
  assert.ok(Object.is(unpacked({ "*": "-0.0" })[0], -0));
});

test("what only looks packed stays as it is", () => {
  for (const value of ["1*6 2", { a: "0*13" }, ["1*2"], { "x*": 1, "*x": 2 }, null, 5, true, [], {}]) {
    assert.deepEqual(unpacked(value), value);
  }
  assert.deepEqual(unpacked({ "**": "1*6", "***": { "*": "1*2" } }), { "*": "1*6", "**": [1, 1] });
});

test("a key may be called anything", () => {
  const value = readPacked('{"__proto__": {"*": "1*2"}, "constructor": {"__proto__": 5}}');
  assert.deepEqual(Object.keys(value), ["__proto__", "constructor"]);
  assert.deepEqual(Object.getOwnPropertyDescriptor(value, "__proto__").value, [1, 1]);
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
  assert.equal(Object.getOwnPropertyDescriptor(value.constructor, "__proto__").value, 5);
});

test("text that is no JSON is refused as such", () => {
  assert.throws(() => readPacked("{"), SyntaxError);
});

// tests/unit/render/test_packed.py packs data into a file, and looks at what comes out here
const [file, plain] = [process.env.LIBRARIAN_PACKED, process.env.LIBRARIAN_PLAIN];
if (file) {
  test("what Python packed is unpacked", () => {
    assert.deepEqual(readPacked(readFileSync(file, "utf8")), JSON.parse(readFileSync(plain, "utf8")));
  });
}
