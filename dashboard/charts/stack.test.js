import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { wholeOf } from "../common/range.js";
import { readReport } from "../common/report.js";
import { totalRows } from "../subjects/usage/now.js";
import { layerName } from "./figure.js";
import { stackOf, totalOf } from "./stack.js";

const PICTURED = ["NCPUS", "NGPUS", "MEMORY", "NJOBS"];
const text = readFileSync(new URL("../../tests/data/golden/data_avery.json", import.meta.url), "utf8");
const wholeData = () => readReport(text).data;
// without what is told beside use: peaks, and what waiting jobs want
const dataOf = () => ({ ...wholeData(), peaks: undefined, waiting: undefined });
const row = (data, key, user) => data.observables[key][user];

test("the first users have an area each, the rest share one, who held nothing has none", () => {
  const stack = stackOf(dataOf());
  assert.deepEqual(
    stack.map((layer) => layer.name),
    ["alice", "bob", "carol", null],
  );
  assert.equal(stack[0].colour, dataOf().colours.alice);
  assert.equal(stack[3].users, 2); // eve's job ended when it began
});

test("an area has the numbers of the file, the others' their sum", () => {
  const data = dataOf();
  const stack = stackOf(data);
  for (const key of PICTURED) {
    assert.deepEqual(stack[1].means.get(key), row(data, key, "bob"));
    const others = data.users.slice(3).map((user) => row(data, key, user));
    assert.deepEqual(
      stack[3].means.get(key),
      data.time_idxs.map((_, bin) => others.reduce((sum, means) => sum + means[bin], 0)),
    );
  }
});

test("who is to be first has the lowest area, whoever held more, and all others keep their order", () => {
  const names = (wanted) => stackOf(dataOf(), wanted).map((layer) => layer.name);
  assert.deepEqual(names({ first: "carol" }), ["carol", "alice", "bob", null]);
  assert.deepEqual(names({ first: null }), ["alice", "bob", "carol", null]);
  assert.equal(stackOf(dataOf(), { first: "zoë\udcff" })[0].name, "zoë\udcff");
});

test("the areas together are the sum that the file tells", () => {
  const data = dataOf();
  for (const key of PICTURED) {
    const wanted = data.time_idxs.map((_, bin) => data.users.reduce((sum, user) => sum + row(data, key, user)[bin], 0));
    totalOf(data, stackOf(data), key).forEach((value, bin) => assert.ok(Math.abs(value - wanted[bin]) < 1e-9));
  }
});

test("means times hours are the totals", () => {
  const data = dataOf();
  const hours = data.time_idxs.map(
    (_, bin) => (Math.min(data.edges[bin + 1], data.totals.to) - data.edges[bin]) / 3600,
  );
  for (const key of PICTURED) {
    const sum = totalOf(data, stackOf(data), key).reduce((whole, mean, bin) => whole + mean * hours[bin], 0);
    assert.ok(Math.abs(sum - data.totals.total.hours[key]) < 1e-3, key);
  }
});

test("as many areas as the configuration says, and no others where all have one", () => {
  const data = dataOf();
  data.metadata.top_users = 12;
  assert.deepEqual(
    stackOf(data).map((layer) => layer.name),
    data.users.slice(0, -1),
  );
  data.metadata.top_users = 1;
  assert.deepEqual(
    stackOf(data).map((layer) => layer.users),
    [1, 4],
  );
});

test("a user called like the others is not the others", () => {
  const data = dataOf();
  data.users.push("others");
  for (const key of PICTURED) data.observables[key].others = data.time_idxs.map(() => 1);
  data.users.reverse();
  const stack = stackOf(data);
  assert.ok(stack.some((layer) => layer.name === "others"));
  assert.equal(new Set(stack.map((layer) => layer.id)).size, stack.length);
});

test("users called like what every object has", () => {
  const data = dataOf();
  data.users = ["__proto__", "constructor"];
  data.observables.NCPUS = JSON.parse('{"__proto__": [1, 2], "constructor": [3, 4]}');
  const stack = stackOf(data);
  assert.deepEqual(
    stack.map((layer) => layer.name),
    ["__proto__", "constructor"],
  );
  assert.deepEqual(totalOf(data, stack, "NCPUS").slice(0, 3), [4, 6, 0]);
  assert.deepEqual(
    totalOf(data, stack, "NJOBS"),
    data.time_idxs.map(() => 0),
  );
  assert.deepEqual(
    totalRows(data).map((one) => one.hours),
    [{}, {}],
  );
});

test("a range has its own first users, the largest share in it first", () => {
  const data = dataOf();
  const { from, to } = wholeOf(data);
  const range = { from: to - 3600, to };
  assert.deepEqual(
    stackOf(data, { range }).map((layer) => layer.name),
    ["alice", "bob"],
  );
  const early = stackOf(data, { range: { from, to: from + 3600 }, top: 1 });
  assert.deepEqual(
    early.map((layer) => [layer.name, layer.users]),
    [
      ["alice", 1],
      [null, 2],
    ],
  );
  assert.deepEqual(early[1].means.get("NJOBS").slice(0, 2), [
    row(data, "NJOBS", "bob")[0] + row(data, "NJOBS", "carol")[0],
    row(data, "NJOBS", "bob")[1] + row(data, "NJOBS", "carol")[1],
  ]);
  assert.deepEqual(stackOf(data, { range: { from: to, to } }), []);
});

test("no two users who are shown share a colour, and who is picked changes nobody's", () => {
  const data = dataOf();
  const { alice, bob } = data.colours;
  data.colours = { ...data.colours, eve: alice, "_dave <b>&$1$": bob };
  const before = new Map(stackOf(data).map(({ name, colour }) => [name, colour]));
  for (const picked of [["eve"], ["eve", "_dave <b>&$1$"], ["_dave <b>&$1$"]]) {
    const stack = stackOf(data, { picked });
    assert.equal(new Set(stack.map(({ colour }) => colour)).size, stack.length);
    for (const { name, colour } of stack.slice(0, 3)) assert.equal(colour, before.get(name));
  }
  const eve = (picked) => stackOf(data, { picked }).find(({ name }) => name === "eve")?.colour;
  assert.equal(eve(["eve"]), eve(["eve", "_dave <b>&$1$"]));
  data.colours = Object.fromEntries(data.users.map((user) => [user, alice]));
  const all = stackOf(data, { top: 6 });
  assert.equal(new Set(all.map(({ colour }) => colour)).size, all.length);
  assert.deepEqual(stackOf(data, { top: 6 }), all);
});

test("who is picked has an area, however little they held", () => {
  const data = dataOf();
  const stack = stackOf(data, { top: 1, picked: ["eve", "carol", "nobody"] });
  assert.deepEqual(
    stack.map((layer) => [layer.name, layer.users]),
    [
      ["alice", 1],
      ["carol", 1],
      ["eve", 1],
      [null, 3],
    ],
  );
  for (const key of PICTURED) {
    totalOf(data, stack, key).forEach((value, bin) =>
      assert.ok(Math.abs(value - totalOf(data, stackOf(data), key)[bin]) < 1e-9),
    );
  }
});

test("the others' sums are theirs, whoever was chosen before", () => {
  const data = dataOf();
  const sums = (wish) => stackOf(data, wish).at(-1).means.get("NCPUS");
  const [one, two] = [sums({ top: 1 }), sums({ top: 2 })];
  assert.deepEqual(sums({ top: 1 }), one);
  assert.deepEqual(
    one.map((value, bin) => value - row(data, "NCPUS", data.users[1])[bin]),
    two,
  );
});

test("who only waits has an area too, after those who hold something", () => {
  const data = wholeData();
  const waiting = Object.keys(data.waiting.NCPUS);
  const only = waiting.filter(
    (user) => !data.users.includes(user) || !PICTURED.some((key) => row(data, key, user).some((value) => value > 0)),
  );
  assert.ok(only.length > 0, "the golden data have somebody who only waits");
  const names = stackOf(data, { top: 50 }).map((layer) => layer.name);
  for (const user of waiting) assert.ok(names.includes(user), user);
  assert.deepEqual(names.slice(-only.length).sort(), only.sort());
  const all = stackOf(data, { top: 1 });
  const wanted = data.time_idxs.map((_, bin) =>
    waiting.reduce((sum, user) => sum + (data.waiting.NCPUS[user][bin] ?? 0), 0),
  );
  totalOf(data, all, "WANTED:NCPUS").forEach((value, bin) => assert.ok(Math.abs(value - wanted[bin]) < 1e-9));
});

test("of those who share one name it is not known how many held something in a range", () => {
  const data = dataOf();
  data.others = { name: "carol", users: { totals: 40 } };
  const { from } = wholeOf(data);
  const whole = stackOf(data, { top: 1 }).at(-1);
  assert.equal(layerName(whole), `others (${whole.users} users)`);
  const some = stackOf(data, { range: { from, to: from + 3600 }, top: 1 }).at(-1);
  assert.equal(layerName(some), "others (at most 41 users)");
  const { id, name, users, isAtMost } = stackOf(dataOf(), { range: { from, to: from + 3600 }, top: 1 }).at(-1);
  assert.deepEqual([id, name, users, isAtMost], ["*", null, 2, false]);
});
