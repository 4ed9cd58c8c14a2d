// How the runs that make this page fare, and what of it a reader must be told. Times are epochs in seconds.

import { ago, visible, zoned } from "../common/format.js";

const STATUS_VERSION = 1;
const LATE_INTERVALS = 3;
const LONGEST_REASON = 160; // characters of a reason

// What status.json says of `cluster`, {interval, runs, collect, render, qos}, or null: a text that is something else
// says nothing. `runs` is when the last run began, `qos` maps names to rows, and a row is {tried, done, error}.
/** @type {(text: string, cluster: string) => Status | null} */
export function readStatus(text, cluster) {
  let told;
  try {
    told = JSON.parse(text);
  } catch {
    return null;
  }
  if (told?.schema_version !== STATUS_VERSION || told.cluster !== cluster || !Array.isArray(told.qos)) return null;
  /** @type {[string, Try][]} */
  const rows = told.qos
    .filter((/** @type {any} */ row) => typeof row?.name === "string")
    .map((/** @type {any} */ row) => [row.name, tryOf(row)]);
  const [collect, render] = [tryOf(told.stages?.collect), tryOf(told.stages?.render)];
  const interval = numberOf(told.interval_seconds) || null;
  return {
    interval,
    runs: latest(numberOf(told.last_try), collect.tried, render.tried),
    collect,
    render,
    qos: new Map(rows),
  };
}

/** @type {(row: any) => Try} */
function tryOf(row) {
  const error = typeof row?.error === "string" ? row.error : null;
  return { tried: numberOf(row?.last_try), done: numberOf(row?.last_success), error };
}

/** @type {(value: any) => number | null} */
function numberOf(value) {
  return Number.isFinite(value) && Math.abs(value) < 1e11 ? value : null;
}

/** @type {(...times: (number | null)[]) => number | null} */
function latest(...times) {
  return times.reduce((one, other) => (other !== null && (one === null || other > one) ? other : one), null);
}

// The status that knows more; each may be null.
/** @type {(one: Status | null, other: Status | null) => Status | null} */
export function newerStatus(one, other) {
  return one && (!other || (one.runs ?? 0) > (other.runs ?? 0)) ? one : other;
}

// What a reader of the QoS `entry` must be told at `now`, or null: {since, facts}. `since` is when what is shown was
// complete, null where nothing is shown. A fact is {kind, at, reason}: "asked", Slurm could not be asked; "collected",
// the data could not be taken in; "drawn", the page could not be made; "said", the data call themselves old; "silent",
// a run was expected at `at`, and neither it nor the next two came. `index` is the index, `data` the report or null,
// `status` as above or null.
/** @type {(entry: Entry, data: First | null, index: SiteIndex, status: Status | null, now: number) => Health | null} */
export function healthOf(entry, data, index, status, now) {
  const said = data?.staleness.stale ? data.staleness : entry.stale && entry.data ? entry : null;
  const shown = data?.metadata.last_updated_epoch ?? entry.last_updated ?? null;
  // of whatever collects
  const heard = latest(shown, status?.runs ?? null, said || shown === null ? index.generated_at : null);
  const facts = [
    failureOf(entry, said, shown, index, status),
    undrawn(index, status),
    silence(heard, intervalOf(index, status), now),
  ];
  const found = facts.filter((fact) => fact !== null);
  const isOld = data && shown !== null && now - shown > LATE_INTERVALS * intervalOf(index, status);
  return said || found.length || isOld ? { since: said?.since ?? shown, facts: found } : null;
}

// Why there is nothing newer of this QoS. What the page says itself is as old as the page; the status may know more.
/**
 * @type {(
 *   entry: Entry, said: { reason: string | null } | null, shown: number | null, index: SiteIndex,
 *   status: Status | null
 * ) => Fact | null}
 */
function failureOf(entry, said, shown, index, status) {
  const row = status?.qos.get(entry.name) ?? tryOf(null);
  const collect = status?.collect ?? tryOf(null);
  /** @param {number | null} time @returns {time is number} */
  const isNews = (time) => (time ?? -Infinity) >= index.generated_at;
  if (row.error !== null && isNews(row.tried)) return { kind: "asked", at: row.tried, reason: row.error };
  if (collect.error !== null && isNews(collect.tried) && Math.max(row.tried ?? 0, shown ?? 0) < collect.tried) {
    return { kind: "collected", at: collect.tried, reason: collect.error }; // the stage never came to this QoS
  }
  const isOver = row.error === null && row.tried !== null && row.tried > index.generated_at; // Slurm has answered since
  return said && !isOver ? { kind: "said", at: null, reason: said.reason } : null;
}

// A failure to draw that is as old as the page, or older, is told by the data, or over.
/** @type {(index: SiteIndex, status: Status | null) => Fact | null} */
function undrawn(index, status) {
  const { error, tried } = status?.render ?? tryOf(null);
  return error !== null && tried !== null && tried > index.generated_at
    ? { kind: "drawn", at: tried, reason: error }
    : null;
}

/** @type {(heard: number | null, interval: number, now: number) => Fact | null} */
function silence(heard, interval, now) {
  if (heard === null) return null;
  return now - heard > LATE_INTERVALS * interval ? { kind: "silent", at: heard + interval, reason: null } : null;
}

/** @type {(index: SiteIndex, status: Status | null) => number} */
function intervalOf(index, status) {
  return Math.max(status?.interval ?? index.next_expected - index.generated_at, index.refresh_seconds);
}

// The banner's sentences, a line each, or "". `trouble` is why the last look for newer data failed, or "". `canPoll`:
// whether this page looks.
/** @type {(health: Health | null, zone: string, now: number, trouble: string, canPoll: boolean) => string} */
export function bannerText(health, zone, now, trouble, canPoll) {
  if (!health) return "";
  const age =
    health.since === null ? "There are no data yet" : `Nothing newer since ${moment(health.since, zone, now)}`;
  const sentences = health.facts.map((fact) => sentenceOf(fact, zone, now, trouble, canPoll));
  const why = health.facts[0]?.kind === "said" ? ": " : ".\n";
  return sentences.length ? `${age}${why}${sentences.join("\n")}` : `${age}.`;
}

/** @type {(fact: Fact, zone: string, now: number, trouble: string, canPoll: boolean) => string} */
function sentenceOf({ kind, at, reason }, zone, now, trouble, canPoll) {
  if (kind === "silent") return silenceText(moment(at, zone, now), trouble, canPoll);
  const said = reason ? ended(shortened(visible(reason))) : "no reason is known.";
  if (kind === "said") return said;
  const what = {
    asked: "Slurm could not be asked about this QoS",
    collected: "The data could not be taken in",
    drawn: "This page could not be made anew",
  };
  return `${what[kind]} at the last try, ${moment(at, zone, now)}: ${said}`;
}

/** @type {(when: string, trouble: string, canPoll: boolean) => string} */
function silenceText(when, trouble, canPoll) {
  if (trouble) return `The next update was expected ${when}, and this page cannot look for it.`;
  if (!canPoll) {
    return `The next update was expected ${when}: load the page again. If it stays as it is, whatever makes it may have stopped.`;
  }
  return `The next update was expected ${when} and has not come: whatever makes this page may have stopped.`;
}

/** @type {(epoch: number, zone: string, now: number) => string} */
function moment(epoch, zone, now) {
  return `${zoned(epoch, zone)} (${ago(now - epoch)})`;
}

/** @type {(text: string) => string} */
function shortened(text) {
  const characters = Array.from(text);
  return characters.length > LONGEST_REASON ? `${characters.slice(0, LONGEST_REASON - 1).join("")}…` : text;
}

/** @type {(text: string) => string} */
function ended(text) {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}
