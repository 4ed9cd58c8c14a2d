// What waits and why, on the page.

import { isoTime } from "../../common/clock.js";
import { element, fill } from "../../common/dom.js";
import { lasting, timeOfDay, zoned } from "../../common/format.js";
import { personName } from "../../common/others.js";
import { own } from "../../common/report.js";
import { trackedOf } from "../../common/resources.js";
import { shortOf, shortWords } from "../../common/short.js";
import { cellsBy } from "../../tables/cells.js";
import { numberColumn, resourceColumn, userColumn } from "../../tables/columns.js";
import { exportName } from "../../tables/export_name.js";
import { queueSentences, reasonCard } from "./queue.js";

const TAGS = new Map([
  ["held", "held"],
  ["dependency", "waits for other jobs"],
  ["begin", "begins later"],
]);

// The sentences and a card for each reason. `now` is when it is read.
/** @type {(place: HTMLElement, viewModel: ViewModel, now: number) => void} */
export function showQueue(place, { data, zone }, now) {
  const sentences = queueSentences(data, zone, now).map((text) => element("p", {}, text));
  const cards = (data.queue?.reasons ?? []).map((row) => reasonPart(reasonCard(data, row, zone, now)));
  const list = cards.length ? element("ul", { class: "reasons", "aria-label": "Reasons why jobs wait" }, cards) : null;
  fill(place, [element("h3", {}, "Waiting now"), ...sentences, list]);
}

/** @type {(card: ReasonCard) => HTMLElement} */
export function reasonPart({ reason, group, jobs, wish, who, text, todo, when }) {
  const tag = TAGS.has(group) ? element("small", {}, TAGS.get(group)) : null;
  return element("li", { class: `reason ${TAGS.has(group) ? "aside" : "competing"}` }, [
    element("h4", {}, [element("bdi", {}, reason), tag]),
    element("p", { class: "wish" }, [element("strong", {}, jobs), ` wanting ${wish}`]),
    element("p", {}, text),
    todo ? element("p", { class: "todo" }, todo) : null,
    element("p", { class: "quiet" }, [who ? "Of " : "", element("bdi", {}, who), who ? ". " : "", when]),
  ]);
}

// Who waits, as a table of the page.
/** @type {(viewModel: ViewModel, now: number) => TableData} */
export function waitingTable({ data, stack, zone }, now) {
  const rows = data.queue?.users ?? [];
  const keys = trackedOf(data).filter((key) => rows.some((row) => Object.hasOwn(row, key)));
  const short = shortOf(data, keys);
  const columns = [
    userColumn(),
    numberColumn("jobs", "jobs", (row) => row.jobs, { head: "pending jobs" }),
    ...keys.map((key) => resourceColumn(data, key, "requested", (row) => own(row, key, 0))),
    numberColumn("oldest", "waits for", (row) => (row.oldest ? Math.max(0, now - row.oldest) : null), {
      full: "waits for: how long the oldest of the user's jobs has waited",
      head: "oldest job waits for (s)",
      wide: true,
      ends: ["longest first", "shortest first"],
      text: (row) => (row.oldest ? lasting(Math.max(0, now - row.oldest)) : "–"),
    }),
    numberColumn("next_start", "next start", (row) => row.next_start || null, {
      full: "next start: when Slurm expects the next of the user's jobs to start",
      head: "expected next start",
      wide: true,
      ends: ["latest first", "earliest first"],
      taken: (row) => (row.next_start ? isoTime(row.next_start, zone) : null),
      text: (row) => startText(row.next_start, now, zone),
    }),
  ];
  return {
    name: "waiting",
    title: "Who waits",
    span: null,
    note: rows.length ? null : "Nobody waits.",
    columns,
    rows,
    sort: keys.length ? short : "jobs",
    why: keys.length ? shortWords(data, short) : null,
    total: null,
    cells: cellsBy(columns, stack, (user) => personName(data, user, "queue")),
    file: exportName("queue-waiting", data, zone, now),
  };
}

/** @type {(start: number | null, now: number, zone: string) => string} */
function startText(start, now, zone) {
  if (!start) return "–";
  if (start <= now) return "any moment";
  return start - now < 64_800 ? timeOfDay(start, zone) : zoned(start, zone);
}
