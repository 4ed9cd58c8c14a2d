import assert from "node:assert/strict";
import { test } from "node:test";
import { foundIn, listedAs } from "./found.js";

const one = (name, kind = "user") => ({ name, kind, change: () => ({}) });
const KNOWN = [
  one("alice"),
  one("bob"),
  one("bobby"),
  one("alice", "account"),
  one("Queue", "section"),
  one("\u202eevil"),
];

test("a user is found by the whole name, whatever its letters' size, or by a part that is only theirs", () => {
  assert.equal(foundIn(KNOWN, " ALICE "), KNOWN[0]);
  assert.equal(foundIn(KNOWN, "bobb"), KNOWN[2]);
  assert.equal(foundIn(KNOWN, "bob"), KNOWN[1]);
});

test("what has the name of a user is found by its kind", () => {
  assert.equal(listedAs(KNOWN[3]), "alice (account)");
  assert.equal(foundIn(KNOWN, "alice (account)"), KNOWN[3]);
  assert.equal(foundIn(KNOWN, "que"), KNOWN[4]);
});

test("nothing is found where nothing or too much is meant", () => {
  for (const text of ["", "  ", "bo", "nobody"]) assert.equal(foundIn(KNOWN, text), null);
});

test("a name with marks that turn the writing round is found as it is shown", () => {
  assert.equal(foundIn(KNOWN, listedAs(KNOWN[5])), KNOWN[5]);
});
