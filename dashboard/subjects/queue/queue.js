// What waits, why, and for how long: words and numbers of it; touches no page.

import { ago, amount, counted, lasting, shownName, visible, zoned } from "../../common/format.js";
import { isOthers } from "../../common/others.js";
import { own } from "../../common/report.js";
import { countOf, trackedOf } from "../../common/resources.js";

const GROUPS = new Map([
  ["competing", "wait for their turn"],
  ["held", "held"],
  ["dependency", "wait for other jobs"],
  ["begin", "have a later time to begin"],
]);
const MOST_NAMED = 6;

// The queue in sentences: how much waits, since when, what does not compete; each is a text.
/** @type {(data: Data, zone: string, now: number) => string[]} */
export function queueSentences(data, zone, now) {
  const queue = data.queue;
  if (!queue) return ["These data tell nothing of the queue."];
  if (queue.at === null) return [`The queue is not known${queue.error ? `: ${visible(queue.error)}` : ""}.`];
  const isOld = queue.at < data.metadata.last_updated_epoch;
  const partly = queue.error && !isOld ? [`Not all of the queue is known: ${visible(queue.error)}.`] : [];
  const old =
    queue.error && isOld
      ? [
          `This is the queue of ${zoned(queue.at, zone)} (${ago(now - queue.at)}); nothing newer is known: ${visible(queue.error)}.`,
        ]
      : [];
  const competing = queue.groups.competing;
  if (!queue.jobs) return [...old, ...partly, "Nothing waits."];
  const others = [...GROUPS.keys()]
    .slice(1)
    .map((group) => ({ group, jobs: own(queue.groups, group, null)?.jobs ?? 0 }))
    .filter(({ jobs }) => jobs)
    .map(({ group, jobs }) => `${amount(jobs)} ${GROUPS.get(group)}`);
  return [
    ...old,
    ...partly,
    competing.jobs ? competingSentence(queue, data, zone, now) : "No job waits for its turn.",
    ...(others.length ? [`Besides, ${others.join(", ")}.`] : []),
  ];
}

/** @type {(queue: QueueNow, data: Data, zone: string, now: number) => string} */
function competingSentence({ groups, oldest, next_start: next }, data, zone, now) {
  const since = oldest
    ? `; the oldest, ${isOthers(data, oldest.user) ? "of one of the others" : `${shownName(oldest.user)}'s`}, has waited ${lasting(Math.max(0, now - oldest.since))}`
    : "";
  const start = next
    ? ` Slurm expects the next to start ${next <= now ? "any moment" : zoned(next, zone)}.`
    : " Slurm has no estimate of when the next one starts.";
  const words = groups.competing.jobs === 1 ? "waits for its turn and wants" : "wait for their turn and want";
  return `${counted(groups.competing.jobs, "job")} ${words} ${wishOf(data, groups.competing)}${since}.${start}`;
}

// "96 CPUs, 8 GPUs, 200 GiB"; what is not tracked or not wanted is left out.
/** @type {(data: Data, wish: object) => string} */
export function wishOf(data, wish) {
  const parts = trackedOf(data)
    .map((key) => ({ key, count: own(wish, key, 0) }))
    .filter(({ count }) => count > 0)
    .map(({ key, count }) => countOf(data, key, count));
  return parts.join(", ") || "nothing that is counted";
}

// A reason as a card of the page has it: {reason, group, wish, who, text, todo, when}.
/** @type {(data: Data, row: Reason, zone: string, now: number) => ReasonCard} */
export function reasonCard(data, row, zone, now) {
  const users = Object.keys(row.users ?? {})
    .map((user) => ({ user, jobs: own(row.users, user, 0) }))
    .sort((one, other) => other.jobs - one.jobs || (one.user < other.user ? -1 : 1));
  const persons = users.filter(({ user }) => !isOthers(data, user));
  const named = persons.slice(0, MOST_NAMED).map(({ user, jobs }) => `${shownName(user)} ${amount(jobs)}`);
  const rest = persons.length < users.length ? "others" : `${amount(users.length - MOST_NAMED)} more`;
  const more = users.length > named.length ? [rest] : [];
  const times = [
    ...(row.group === "competing" && row.oldest ? [`The first waits since ${zoned(row.oldest, zone)}.`] : []),
    ...(row.next_start
      ? [
          `Slurm expects ${row.jobs === 1 ? "it" : "the first"} to start ${row.next_start <= now ? "any moment" : zoned(row.next_start, zone)}.`,
        ]
      : []),
  ];
  return {
    reason: visible(row.reason),
    group: row.group,
    jobs: counted(row.jobs, "job"),
    wish: wishOf(data, row),
    who: [...named, ...more].join(", "),
    text: visible(row.text),
    todo: row.todo ? visible(row.todo) : null,
    when: times.join(" "),
  };
}
