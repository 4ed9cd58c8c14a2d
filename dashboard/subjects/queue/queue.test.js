import assert from "node:assert/strict";
import { test } from "node:test";
import { queueSentences, reasonCard, wishOf } from "./queue.js";

const NOW = 1_780_000_000;
const group = (jobs, NCPUS = jobs, NGPUS = 0, MEMORY = 0) => ({ jobs, NCPUS, NGPUS, MEMORY });
const none = { competing: group(0), held: group(0), dependency: group(0), begin: group(0) };
const UNITS = {
  NCPUS: { name: "CPUs", unit: "CPUs", hours: "" },
  NGPUS: { name: "GPUs", unit: "GPUs", hours: "" },
  MEMORY: { name: "Memory", unit: "GiB", hours: "" },
};
const dataOf = (queue, updated = NOW) => ({
  untracked: [],
  units: UNITS,
  nice_names: { NCPUS: "CPUs", NGPUS: "GPUs", MEMORY: "Memory" },
  metadata: { last_updated_epoch: updated },
  queue: {
    at: NOW,
    error: null,
    jobs: 0,
    groups: none,
    users: [],
    reasons: [],
    oldest: null,
    next_start: null,
    ...queue,
  },
});
const say = (queue) => queueSentences(dataOf(queue), "UTC", NOW).join(" ");

test("an empty queue, an unknown one and one that is not told are three things", () => {
  assert.equal(say({}), "Nothing waits.");
  assert.equal(say({ at: null, error: "squeue did not answer" }), "The queue is not known: squeue did not answer.");
  assert.equal(queueSentences({ untracked: [] }, "UTC", NOW).join(), "These data tell nothing of the queue.");
});

test("who competes, since when, and what else is there", () => {
  const queue = {
    jobs: 7,
    groups: { ...none, competing: group(3, 96, 8, 200), held: group(4) },
    oldest: { user: "alice", since: NOW - 7200 },
  };
  assert.equal(
    say(queue),
    "3 jobs wait for their turn and want 96 CPUs, 8 GPUs, 200 GiB; the oldest, alice's, has waited 2 h. Slurm has no estimate of when the next one starts. Besides, 4 held.",
  );
});

test("one job, and a start that is due", () => {
  const text = say({ jobs: 1, groups: { ...none, competing: group(1, 1) }, next_start: NOW - 5 });
  assert.equal(text, "1 job waits for its turn and wants 1 CPU. Slurm expects the next to start any moment.");
});

test("an old answer says how old it is, and why", () => {
  const text = queueSentences(dataOf({ at: NOW, error: "squeue failed" }, NOW + 7000), "UTC", NOW + 7200).join(" ");
  assert.match(text, /^This is the queue of .* \(2 h ago\); nothing newer is known: squeue failed\. Nothing waits\.$/);
});

test("a row that was not understood makes no queue old", () => {
  assert.equal(
    say({ error: "left out 1 row of squeue's" }),
    "Not all of the queue is known: left out 1 row of squeue's. Nothing waits.",
  );
});

test("what is not tracked is not wanted", () => {
  assert.equal(wishOf({ ...dataOf({}), untracked: ["NGPUS"] }, group(1, 2, 3, 4)), "2 CPUs, 4 GiB");
  assert.equal(wishOf(dataOf({}), group(1, 0)), "nothing that is counted");
});

test("a reason names those who wait most, whatever they are called", () => {
  const users = Object.fromEntries(
    ["a", "b", "c", "d", "e", "f", "g", "constructor"].map((user, place) => [user, place + 1]),
  );
  const row = {
    reason: "Priority",
    group: "competing",
    ...group(36),
    users,
    oldest: NOW - 60,
    next_start: null,
    text: "Others are ahead.",
    todo: null,
  };
  const card = reasonCard(dataOf({}), row, "UTC", NOW);
  assert.equal(card.who, "constructor 8, g 7, f 6, e 5, d 4, c 3, 2 more");
  assert.match(card.when, /^The first waits since /);
  assert.equal(card.todo, null);
});

test("what a line could be turned round by is shown as such", () => {
  const row = {
    reason: "x\u202ey",
    group: "held",
    ...group(1),
    users: { "a\u202eb": 1 },
    oldest: null,
    next_start: NOW + 60,
    text: "t\u0000",
    todo: "u\u2028",
  };
  const card = reasonCard(dataOf({}), row, "UTC", NOW);
  assert.deepEqual([card.reason, card.who, card.text, card.todo], ["x\ufffdy", "a\ufffdb 1", "t\ufffd", "u\ufffd"]);
  assert.match(card.when, /^Slurm expects it to start /);
});
