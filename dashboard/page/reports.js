// What is known of each QoS: what the page has inside at first, the report once it has come, and newer ones from the
// server while somebody looks.

import { byId } from "../common/dom.js";
import { SCHEMA_VERSION, readFirst, readReport } from "../common/report.js";
import { newerStatus, readStatus } from "./health.js";
import { readEncoded } from "./run_length.js";
import { canPoll, isCopy, newIndex, sameTabs, scriptedTextOf, textOf } from "./poll.js";

const INDEX = "index.json";

const known = /** @type {Known} */ ({
  // `index`, what index.json says, and `page` come at the start
  status: null, // how the runs fare, or null where that is not known
  first: new Map(), // slug -> what the page has inside of a report, or null
  reports: new Map(), // slug -> {data}
  coming: new Map(), // slug -> a report that is on its way
  trouble: new Map(), // file name -> why the last look for it failed
  polled: 0, // when (ms) the last look for newer data began
  polling: false,
});

// `page` is asked for openEntry(), told with show(entry, report) of each new report, which it may refuse by an error,
// and with changed() after each look. Returns the index that came with the page.
/** @type {(page: ReportsOwner) => SiteIndex} */
export function startReports(page) {
  known.page = page;
  known.index = JSON.parse(byId("index").textContent);
  takeStatus(document.getElementById("status")?.textContent ?? "");
  return known.index;
}

/** @type {() => SiteIndex} */
export function indexNow() {
  return known.index;
}

/** @type {() => Status | null} */
export function statusNow() {
  return known.status;
}

/** @type {(text: string) => void} */
function takeStatus(text) {
  known.status = newerStatus(readStatus(text, known.index.cluster), known.status);
}

// The report of a QoS; null where it has not come. A copy of the page has it inside.
/** @type {(entry: Entry) => Loaded | null} */
export function reportOf(entry) {
  const inside = isCopy() ? insideOf(entry) : null;
  if (inside !== null && !known.reports.has(entry.slug) && !known.trouble.has(entry.data)) {
    take(entry, inside, readEncoded);
  }
  return known.reports.get(entry.slug) ?? null;
}

// What the first screen needs of a report that has not come; null where the page has nothing of it.
/** @type {(entry: Entry) => First | null} */
export function firstOf(entry) {
  if (!known.first.has(entry.slug)) known.first.set(entry.slug, readFirst(insideOf(entry) ?? "null", readEncoded));
  return known.first.get(entry.slug) ?? null;
}

/** @type {(entry: Entry) => string | null} */
function insideOf(entry) {
  return document.querySelector(`script[data-slug="${CSS.escape(entry.slug)}"]`)?.textContent ?? null;
}

// What the page has inside of a QoS cannot be shown: then all of it is told by the report.
/** @type {(entry: Entry) => void} */
export function forgetFirst(entry) {
  known.first.set(entry.slug, null);
}

// Whether the report of a QoS may still come.
/** @type {(entry: Entry) => boolean} */
export function isComing(entry) {
  return !isCopy() && Boolean(entry.data) && !known.reports.has(entry.slug) && !known.trouble.has(entry.data);
}

// Why the index cannot be had, or "".
/** @type {() => string} */
export function indexTrouble() {
  return known.trouble.get(INDEX) ?? "";
}

// Why the index or the data of a QoS cannot be had, or "".
/** @type {(entry: Entry) => string} */
export function troubleOf(entry) {
  return [known.trouble.get(INDEX), known.trouble.get(entry.data)].filter(Boolean).join("; ");
}

// One broken report is that QoS's trouble alone, and never takes the place of a good one.
/** @type {(entry: Entry, text: string, parse?: (text: string) => any) => void} */
function take(entry, text, parse = JSON.parse) {
  try {
    const report = readReport(text, parse);
    known.page.show(entry, report);
    known.reports.set(entry.slug, report);
    known.trouble.delete(entry.data);
  } catch (error) {
    known.trouble.set(entry.data, `${entry.data}: ${error instanceof SyntaxError ? "not JSON" : messageOf(error)}`);
  }
}

/** @type {(error: unknown) => string} */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

// Looks now, and from time to time.
/** @type {() => void} */
export function startPolling() {
  if (!canPoll()) return;
  document.addEventListener("visibilitychange", () => Date.now() - known.polled >= period() && poll(true));
  setTimeout(pollAgain, period());
  poll(false);
}

/** @type {() => number} */
function period() {
  return 1000 * Math.max(1, known.index.refresh_seconds);
}

/** @type {() => Promise<void>} */
async function pollAgain() {
  try {
    await poll(true);
  } finally {
    setTimeout(pollAgain, period());
  }
}

// Newer data, while somebody looks. Where `always` is false, data that the index says are in view already are not
// fetched.
/** @type {(always: boolean) => Promise<void>} */
async function poll(always) {
  if (document.hidden || known.polling) return;
  [known.polling, known.polled] = [true, Date.now()];
  try {
    const index = await newIndex(SCHEMA_VERSION);
    known.trouble.delete(INDEX);
    if (!sameTabs(index, known.index)) location.reload();
    known.index = index;
  } catch (error) {
    known.trouble.set(INDEX, messageOf(error));
  }
  await fetchStatus();
  await fetchReport(known.page.openEntry(), always);
  known.polling = false;
  known.page.changed();
}

// Without it the page knows what its data and the clock tell.
/** @type {() => Promise<void>} */
async function fetchStatus() {
  if (!known.index.status) return;
  try {
    takeStatus(await textOf(known.index.status));
  } catch {
    // what is missing here is not missed
  }
}

// The data of a QoS that was opened just now, where the page has none, or the server has newer ones.
/** @type {(entry: Entry | undefined) => Promise<void>} */
export async function openReport(entry) {
  if (isCopy()) return;
  await fetchReport(entry, false);
  known.page.changed();
}

// Who asks for what is on its way waits for that, and asks again only where it is not what is wanted.
/** @type {(entry: Entry | undefined, always: boolean) => Promise<void>} */
async function fetchReport(entry, always) {
  if (!entry?.data) return;
  while (known.coming.has(entry.slug)) await known.coming.get(entry.slug);
  const report = known.reports.get(entry.slug);
  if (report && (!canPoll() || (!always && isCurrent(report, entry)))) return;
  const coming = bringReport(entry);
  known.coming.set(entry.slug, coming);
  await coming;
  known.coming.delete(entry.slug);
}

/** @type {(entry: Entry) => Promise<void>} */
async function bringReport(entry) {
  try {
    if (canPoll()) take(entry, await textOf(entry.data ?? ""));
    else await takeScripted(entry);
  } catch (error) {
    known.trouble.set(entry.data, messageOf(error));
  }
  // a server may give scripts and refuse other files
  if (canPoll() && !known.reports.has(entry.slug)) await takeScripted(entry).catch(() => {});
}

/** @type {(entry: Entry) => Promise<void>} */
async function takeScripted(entry) {
  take(entry, await scriptedTextOf(entry), readEncoded);
}

/** @type {(report: Loaded | undefined, entry: Entry) => boolean} */
function isCurrent(report, entry) {
  return report?.data.metadata.last_updated_epoch === entry.last_updated && report.data.staleness.stale === entry.stale;
}
