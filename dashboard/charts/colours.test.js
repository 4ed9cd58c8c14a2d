import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { OTHERS_COLOUR, toldApart } from "./colours.js";

const cases = JSON.parse(readFileSync(new URL("../../tests/data/colours.json", import.meta.url), "utf8"));

test("users who are shown together have the colours that pictures give them", () => {
  for (const { colours, users, later, wanted } of cases) {
    assert.deepEqual([...toldApart(Object.fromEntries(colours), users, later)], wanted);
  }
});

test("no two of many users share a colour, and who comes later changes nothing", () => {
  const users = Array.from({ length: 300 }, (_, place) => `user${place}`);
  const colours = Object.fromEntries(users.map((user) => [user, "#332288"]));
  assert.equal(new Set(toldApart(colours, users).values()).size, 300);
  const before = toldApart(colours, users.slice(0, 5), users.slice(5, 9));
  const after = toldApart(colours, users.slice(0, 5), users.slice(5, 10));
  for (const [user, colour] of before) assert.equal(after.get(user), colour);
  assert.equal(toldApart({}, ["constructor"]).get("constructor"), OTHERS_COLOUR);
});
