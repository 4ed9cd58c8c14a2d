import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { stackOf } from "../charts/stack.js";
import { reasonCard } from "../subjects/queue/queue.js";
import { nowTable, totalsTable } from "../subjects/usage/usage_tables.js";
import { isOthers, othersLast, peopleIn, peopleWords, personName } from "./others.js";
import { readReport } from "./report.js";

const text = readFileSync(new URL("../../tests/data/golden/data_avery.json", import.meta.url), "utf8");
const plainData = () => readReport(text).data;
// as if bob stood for many
const dataOf = () => ({ ...plainData(), others: { name: "bob", users: { totals: 2500, now: 1 } } });

test("those who are told of as one are told with their number where it is known", () => {
  const data = dataOf();
  assert.equal(personName(data, "bob", "totals"), "2,500 others");
  assert.equal(personName(data, "bob", "now"), "1 other");
  assert.equal(personName(data, "bob", "queue"), "others");
  assert.equal(personName(data, "bob", null), "others");
  assert.equal(personName(data, "bob", "toString"), "others");
  assert.equal(personName(data, "alice", "totals"), "alice");
  assert.equal(personName(plainData(), "bob", "totals"), "bob");
  assert.equal(isOthers(plainData(), null), false);
});

test("people are counted, not names", () => {
  const data = dataOf();
  assert.equal(peopleIn(data, ["alice", "bob"], "totals"), 2501);
  assert.equal(peopleWords(data, ["alice", "bob"], "totals"), "2,501 users");
  assert.equal(peopleWords(data, ["alice", "bob"], null), "1 user and others");
  assert.equal(peopleWords(data, ["alice"], null), "1 user");
  assert.deepEqual(othersLast(data, ["bob", "alice"]), ["alice", "bob"]);
});

test("they have no area of their own in the charts, and are counted in that of the others", () => {
  const stack = stackOf(dataOf());
  assert.equal(
    stack.some((layer) => layer.name === "bob"),
    false,
  );
  const rest = stackOf(plainData()).at(-1).users; // with bob in the place of the user who moved up
  assert.equal(stack.at(-1).users, rest - 1 + 2500);
});

test("the tables count all of them, those of a range say that there are others", () => {
  const told = { data: dataOf(), stack: [], range: null, zone: "UTC" };
  assert.ok(nowTable(told).total.users.includes("bob"));
  assert.deepEqual(totalsTable(told).total.users.length, plainData().users.length);
});

test("a reason names persons, then that there are others", () => {
  const row = { reason: "Priority", group: "competing", jobs: 9, users: { bob: 8, alice: 1 }, text: "", todo: null };
  assert.equal(reasonCard(dataOf(), row, "UTC", 0).who, "alice 1, others");
  assert.equal(reasonCard(plainData(), row, "UTC", 0).who, "bob 8, alice 1");
});
