import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { bannerText, healthOf, newerStatus, readStatus } from "./health.js";

const golden = (name) => JSON.parse(readFileSync(new URL(`../../tests/data/golden/${name}`, import.meta.url), "utf8"));
const INDEX = golden("index.json"); // avery fresh, bruno old, a third without data
const NOW = INDEX.generated_at;
const HOUR = 3600;
const dataOf = (changes = {}) => Object.assign(golden("data_avery.json"), changes);
const row = (changes = {}) => ({ last_try: NOW, last_success: NOW, seconds: 1, error: null, ...changes });

// A status file as it lies in the site, all well, with changes.
function fileOf(changes = {}) {
  const stages = { collect: row(), render: row() };
  const file = {
    schema_version: 1,
    cluster: INDEX.cluster,
    interval_seconds: 600,
    last_try: NOW,
    stages,
    qos: [{ name: "avery", ...row() }],
    publishers: [],
  };
  return { ...file, ...changes };
}
const statusOf = (changes) => readStatus(JSON.stringify(fileOf(changes)), INDEX.cluster);
const failed = (at, error, done = NOW) => row({ last_try: at, last_success: done, error });
const health = (status, now = NOW, data = dataOf()) => healthOf(INDEX.qos[0], data, INDEX, status, now);
const told = (status, now, data, trouble = "", looks = true) =>
  bannerText(health(status, now, data), "US/Eastern", now, trouble, looks);

test("a text that is no status of this cluster says nothing", () => {
  const others = [{ schema_version: 2 }, { cluster: "other" }, { qos: {} }].map((changes) =>
    JSON.stringify(fileOf(changes)),
  );
  for (const text of ["", "{", "null", "7", "[]", '"x"', "<html>", ...others]) {
    assert.equal(readStatus(text, INDEX.cluster), null);
  }
  assert.ok(statusOf());
});

test("parts that are strange are taken for missing", () => {
  const odd = statusOf({
    interval_seconds: "soon",
    last_try: "now",
    stages: { collect: 7, render: { error: {} } },
    qos: [null, 3, { name: 4 }, { name: "avery", last_try: 1e300, error: ["x"] }],
  });
  assert.deepEqual(odd.qos, new Map([["avery", { tried: null, done: null, error: null }]]));
  assert.deepEqual([odd.interval, odd.runs, odd.collect.error, odd.render.error], [null, null, null, null]);
  for (const stages of [null, [], "x"]) assert.equal(statusOf({ stages }).render.error, null);
  assert.equal(health(odd), null);
});

test("the status that knows more is kept", () => {
  const [old, fresh] = [statusOf(), statusOf({ last_try: NOW + 600 })];
  assert.equal(newerStatus(old, fresh), fresh);
  assert.equal(newerStatus(fresh, old), fresh);
  assert.equal(newerStatus(null, old), old);
  assert.equal(newerStatus(old, null), old);
  assert.equal(newerStatus(null, null), null);
});

test("no word while all is in time, with a status and without", () => {
  for (const status of [null, statusOf()]) {
    assert.equal(health(status, NOW + 3 * 600), null);
    assert.equal(told(status, NOW), "");
  }
  assert.equal(healthOf(INDEX.qos[2], null, INDEX, statusOf(), NOW), null);
});

test("what did not come for three intervals was expected at its time, and says so", () => {
  const at = NOW + 3 * 600 + 1;
  assert.deepEqual(health(null, at), { since: NOW, facts: [{ kind: "silent", at: NOW + 600, reason: null }] });
  assert.deepEqual(health(statusOf(), at), health(null, at));
  assert.equal(
    told(statusOf(), at),
    "Nothing newer since Sun, Nov 1, 14:10 EST (30 min ago).\nThe next update was expected Sun, Nov 1, 14:20 EST (20 min ago) " +
      "and has not come: whatever makes this page may have stopped.",
  );
  assert.deepEqual(
    healthOf(INDEX.qos[2], null, INDEX, null, at).facts.map((fact) => fact.kind),
    ["silent"],
  );
});

test("a page that cannot look does not say that nothing has come", () => {
  const at = NOW + 5 * HOUR;
  assert.match(
    told(null, at, dataOf(), "index.json: no answer"),
    /was expected Sun, Nov 1, 14:20 EST \(4 h ago\), and this page cannot look for it\.$/,
  );
  assert.match(told(null, at, dataOf(), "", false), /\(4 h ago\): load the page again\. If it stays as it is, /);
});

test("runs that come are not taken for dead, though the data are old", () => {
  const at = NOW + 5 * HOUR;
  const status = statusOf({
    last_try: at - 60,
    stages: { collect: row({ last_try: at - 60 }), render: failed(at - 60, "the disk is full") },
  });
  assert.deepEqual(health(status, at), {
    since: NOW,
    facts: [{ kind: "drawn", at: at - 60, reason: "the disk is full" }],
  });
  assert.match(
    told(status, at),
    /^Nothing newer since .* \(5 h ago\)\.\nThis page could not be made anew at the last try, .* \(1 min ago\): the disk is full\.$/,
  );
  assert.deepEqual(health(statusOf({ last_try: at - 60 }), at), { since: NOW, facts: [] });
  assert.match(told(statusOf({ last_try: at - 60 }), at), /^Nothing newer since .* \(5 h ago\)\.$/);
});

test("a failure to draw that this page has outlived is over", () => {
  assert.equal(health(statusOf({ stages: { render: failed(NOW - 600, "the disk is full") } })), null);
});

test("data that call themselves old are told with their reason", () => {
  const data = dataOf({ staleness: { stale: true, since: NOW - HOUR, reason: "it could not be drawn" } });
  assert.equal(told(null, NOW, data), "Nothing newer since Sun, Nov 1, 13:10 EST (1 h ago): it could not be drawn.");
  assert.equal(
    told(null, NOW, dataOf({ staleness: { stale: true, since: NOW - HOUR, reason: null } })),
    "Nothing newer since Sun, Nov 1, 13:10 EST (1 h ago): no reason is known.",
  );
});

test("so are those that cannot be shown", () => {
  const [, bruno] = INDEX.qos;
  assert.deepEqual(healthOf(bruno, null, INDEX, null, NOW), {
    since: bruno.since,
    facts: [{ kind: "said", at: null, reason: "Slurm did not answer" }],
  });
});

test("a QoS that Slurm was asked for in vain: since when, and its own reason", () => {
  const status = statusOf({
    qos: [
      { name: "avery", ...failed(NOW, "sacct: Connection refused", NOW - HOUR) },
      { name: "kim", ...failed(NOW, "not this one") },
    ],
  });
  const data = dataOf({ staleness: { stale: true, since: NOW - HOUR, reason: "as of then" } });
  assert.equal(
    told(status, NOW + 60, data),
    "Nothing newer since Sun, Nov 1, 13:10 EST (1 h ago).\nSlurm could not be asked about this QoS at the last try, " +
      "Sun, Nov 1, 14:10 EST (1 min ago): sacct: Connection refused.",
  );
});

test("the newest knowledge counts: a status before the page was made is over, one after it is not", () => {
  const status = (at, error) => statusOf({ last_try: at, qos: [{ name: "avery", ...failed(at, error) }] });
  assert.equal(health(status(NOW - 600, "sacct: no answer")), null);
  assert.deepEqual(health(status(NOW + 600, "sacct: no answer"), NOW + 700).facts, [
    { kind: "asked", at: NOW + 600, reason: "sacct: no answer" },
  ]);
  const stale = dataOf({ staleness: { stale: true, since: NOW - HOUR, reason: "of that time" } });
  assert.equal(health(statusOf({ qos: [] }), NOW, stale).facts[0].reason, "of that time");
  assert.deepEqual(health(status(NOW + 600, null), NOW + 700, stale), { since: NOW - HOUR, facts: [] });
});

test("what kept the whole stage from coming to a QoS is told, what failed for another QoS is not", () => {
  const at = NOW + 600;
  const status = statusOf({
    last_try: at,
    stages: { collect: failed(at, "the store cannot be used: disk is full"), render: row() },
  });
  assert.deepEqual(health(status, at).facts, [
    { kind: "collected", at, reason: "the store cannot be used: disk is full" },
  ]);
  assert.match(
    told(status, at),
    /The data could not be taken in at the last try, .* \(just now\): the store cannot be used: disk is full\.$/,
  );
  const other = statusOf({
    last_try: at,
    stages: { collect: failed(at, "QoS kim: no answer"), render: row() },
    qos: [{ name: "avery", ...row({ last_try: at }) }],
  });
  assert.equal(health(other, at), null);
  const cutOff = statusOf({
    stages: { collect: failed(NOW, "it took too long") },
    qos: [{ name: "avery", ...row({ last_try: NOW - 600 }) }],
  });
  assert.equal(health(cutOff), null, "its data came all the same");
});

test("both what failed and that nothing has come since", () => {
  const status = statusOf({ qos: [{ name: "avery", ...failed(NOW, "sacct: no answer", NOW) }] });
  const at = NOW + 2 * HOUR;
  assert.deepEqual(
    health(status, at).facts.map((fact) => fact.kind),
    ["asked", "silent"],
  );
});

test("a QoS without data is told of too", () => {
  const status = statusOf({ qos: [{ name: INDEX.qos[2].name, ...failed(NOW + 600, "sacct: no answer", null) }] });
  assert.match(
    bannerText(healthOf(INDEX.qos[2], null, INDEX, status, NOW + 600), "UTC", NOW + 600, "", true),
    /^There are no data yet\.\nSlurm could not be asked /,
  );
});

test("a reason is shown without what is invisible in it, and not at any length", () => {
  const status = (error) => statusOf({ qos: [{ name: "avery", ...failed(NOW, error) }] });
  assert.match(told(status("a\u202eb\u0000<b>c</b>"), NOW), /: a\ufffdb\ufffd<b>c<\/b>\.$/);
  assert.ok(told(status("x".repeat(5000)), NOW).length < 400);
});
