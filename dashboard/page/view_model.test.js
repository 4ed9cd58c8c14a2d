import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { plainView } from "./view.js";
import { hasOtherClock, isolated, toggled, viewModelOf } from "./view_model.js";

const data = JSON.parse(readFileSync(new URL("../../tests/data/golden/data_avery.json", import.meta.url), "utf8"));
const viewModel = (changes) => viewModelOf(data, plainView(changes), "Europe/Berlin");
const shown = (changes) => viewModel(changes).shown.map((layer) => layer.id);
const ALL = ["alice", "bob", "carol", "*"];

// What is shown after one layer after another was switched, from a view.
function afterToggles(changes, ids) {
  const view = ids.reduce(
    (now, id) => ({ ...now, ...toggled(now, viewModelOf(data, now, "UTC"), id) }),
    plainView(changes),
  );
  return viewModelOf(data, view, "UTC").shown.map((layer) => layer.id);
}

test("what is switched off is not shown", () => {
  assert.deepEqual(shown({}), ALL);
  assert.deepEqual(shown({ hidden: ["bob", "*", "nobody"] }), ["alice", "carol"]);
  assert.deepEqual(shown({ hidden: ALL }), []);
});

test("who is alone hides all others, with an area of their own if need be", () => {
  assert.deepEqual(shown({ only: ["bob"], hidden: ["bob"] }), ["bob"]);
  assert.deepEqual(shown({ only: ["*"] }), ["*"]);
  assert.deepEqual(shown({ only: ["alice"], top: 1 }), ["alice"]);
  assert.deepEqual(shown({ only: ["carol"], top: 1 }), ["carol"]);
  assert.deepEqual(shown({ only: ["somebody of another QoS"], hidden: ["bob"] }), ["alice", "carol", "*"]);
});

test("a layer is switched off and on", () => {
  assert.deepEqual(afterToggles({}, ["bob"]), ["alice", "carol", "*"]);
  assert.deepEqual(afterToggles({}, ["bob", "*", "bob"]), ["alice", "bob", "carol"]);
  assert.deepEqual(afterToggles({}, ALL), []);
});

test("while some are alone, others join and leave them", () => {
  assert.deepEqual(afterToggles({ only: ["bob"] }, ["*"]), ["bob", "*"]);
  assert.deepEqual(afterToggles({ only: ["bob"] }, ["*", "bob"]), ["*"]);
  assert.deepEqual(afterToggles({ only: ["bob"] }, ["bob"]), ALL);
  assert.deepEqual(
    toggled(plainView({ only: ["alice", "bob", "carol"] }), viewModel({ only: ["alice", "bob", "carol"] }), "*"),
    { only: [], hidden: [] },
  );
});

test("one alone, and all again", () => {
  assert.deepEqual(isolated(viewModel({ hidden: ["carol"] }), "bob"), { only: ["bob"], hidden: [] });
  assert.deepEqual(isolated(viewModel({ only: ["bob"] }), "bob"), { only: [], hidden: [] });
  assert.deepEqual(isolated(viewModel({ only: ["bob"] }), "alice"), { only: ["alice"], hidden: [] });
});

test("the reader's clock is only another one where it differs", () => {
  assert.equal(viewModel({ zone: "mine" }).zone, "Europe/Berlin");
  assert.equal(viewModel({}).zone, "US/Eastern");
  assert.equal(viewModelOf(data, plainView({ zone: "mine" }), "America/New_York").zone, "US/Eastern");
  assert.ok(!hasOtherClock(data, "America/New_York"));
});
