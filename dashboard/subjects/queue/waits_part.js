// How long jobs waited, on the page.

import { drawing, element, fill } from "../../common/dom.js";
import { counted, lasting, zoned, zonedDay } from "../../common/format.js";
import { wholeOf } from "../../common/range.js";
import { personName } from "../../common/others.js";
import { own } from "../../common/report.js";
import { cellsBy } from "../../tables/cells.js";
import { numberColumn, userColumn } from "../../tables/columns.js";
import { exportName } from "../../tables/export_name.js";
import { plainTable } from "../../tables/plain_table.js";
import { trendOf, waitsIn } from "./waits.js";

/** @type {Texts} */
const SORTS_OF_JOBS = { gpu: "GPU jobs", cpu: "CPU jobs" };
/** @type {Texts} */
const PARTS_OF_WAITS = { median: "median wait", p90: "90th percentile of waits" };
const WIDTH = 320;
const HEIGHT = 64;

// Everybody's waits by kind and size, and the trend of the days.
/** @type {(place: HTMLElement, viewModel: ViewModel) => void} */
export function showWaits(place, { data, range, zone }) {
  const found = waitsIn(data, range);
  const heading = element("h3", {}, [
    "How long jobs waited",
    element("small", {}, found ? spanWords(found, zone) : ""),
  ]);
  if (!found) return fill(place, [heading, element("p", { class: "quiet" }, "These data tell nothing of it.")]);
  if (!found.everybody.length) {
    return fill(place, [heading, element("p", { class: "quiet" }, "No job started in this time.")]);
  }
  const lines = found.everybody.map((row) => [
    `${SORTS_OF_JOBS[row.kind]}${row.size === null ? "" : `, ${row.size} ${row.kind === "gpu" ? "GPU" : "CPU"}${row.size === "1" ? "" : "s"}`}`,
    counted(row.jobs, "job"),
    lasting(row.median),
    lasting(row.p90),
  ]);
  const table = plainTable("Waiting times", ["", "started", "half waited at most", "9 of 10 at most"], lines);
  const trends = Object.keys(SORTS_OF_JOBS)
    .map((kind) => trendPicture(data, kind, data.metadata.zone))
    .filter(Boolean);
  const note = element(
    "p",
    { class: "quiet" },
    `From when a job could have started to when it did; jobs that still wait are not in it.${stillWords(data)}`,
  );
  fill(place, [heading, table, element("div", { class: "trends" }, trends), note]);
}

/** @type {(found: WaitsFound, zone: string) => string} */
function spanWords({ from, to, exact }, zone) {
  return `${exact ? "" : "the nearest that is known: "}${zoned(from, zone)} to ${zoned(to, zone)}`;
}

/** @type {(data: Data) => string} */
function stillWords(data) {
  const told = Object.keys(SORTS_OF_JOBS).flatMap((kind) => {
    const still = own(data.waits?.still, kind, null);
    return still?.jobs ? [`${SORTS_OF_JOBS[kind]} ${lasting(still.median ?? 0)}`] : [];
  });
  return told.length ? ` Half of those that wait now have waited at least: ${told.join(", ")}.` : "";
}

// A bar a day: the median, and above it the nine of ten. A square root keeps short waits to be seen beside long ones.
/** @type {(data: Data, kind: string, zone: string) => HTMLElement | null} */
function trendPicture(data, kind, zone) {
  const days = trendOf(data, kind);
  if (days.length < 2) return null;
  const most = Math.max(...days.map((day) => day.p90), 1);
  const first = days[0].from;
  const last = days[days.length - 1];
  const whole = last.to - first;
  const height = (/** @type {number} */ seconds) => Math.sqrt(seconds / most) * HEIGHT;
  /** @type {(day: WaitDay, seconds: number, name: string) => SVGElement} */
  const bar = (day, seconds, name) =>
    drawing("rect", {
      class: name,
      x: (((day.from - first) / whole) * WIDTH).toFixed(1),
      width: Math.max(1, ((day.to - day.from) / whole) * WIDTH - 1).toFixed(1),
      y: (HEIGHT - height(seconds)).toFixed(1),
      height: Math.max(0.5, height(seconds)).toFixed(1),
    });
  const groups = days.map((day) =>
    drawing("g", {}, [
      drawing(
        "title",
        {},
        `${zonedDay(day.from, zone)}: ${counted(day.jobs, "job")}, half waited at most ${lasting(day.median)}, 9 of 10 at most ${lasting(day.p90)}`,
      ),
      bar(day, day.p90, "most"),
      bar(day, day.median, "half"),
    ]),
  );
  const label = `${SORTS_OF_JOBS[kind]} by day: longest of 9 in 10 ${lasting(most)}, on the last day ${lasting(last.median)} for half of them`;
  const picture = drawing(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label, preserveAspectRatio: "none" },
    groups,
  );
  const caption = `${SORTS_OF_JOBS[kind]} by day since ${zonedDay(first, zone)}: half, and 9 of 10; the highest is ${lasting(most)}`;
  return element("figure", { class: "trend" }, [picture, element("figcaption", {}, caption)]);
}

// Waits by user, as a table of the page.
/** @type {(viewModel: ViewModel) => TableData} */
export function waitsTable({ data, stack, range, zone }) {
  const found = waitsIn(data, range);
  const rows = found?.users ?? [];
  const { from, to } = found ?? wholeOf(data);
  /** @type {(kind: "gpu" | "cpu", part: "median" | "p90", label: string, full: string) => Column} */
  const wait = (kind, part, label, full) =>
    numberColumn(`${kind}-${part}`, label, (row) => row[kind]?.[part] ?? null, {
      full,
      head: `${SORTS_OF_JOBS[kind]}: ${PARTS_OF_WAITS[part]} (s)`,
      wide: true,
      ends: ["longest first", "shortest first"],
      text: (row) => (row[kind] ? lasting(row[kind][part]) : "–"),
    });
  const columns = [
    userColumn(),
    numberColumn("jobs", "jobs started", (row) => row.jobs),
    wait("gpu", "median", "GPU jobs: half", "GPU jobs: half waited at most that long"),
    wait("gpu", "p90", "GPU jobs: 9 of 10", "GPU jobs: 9 of 10 waited at most that long"),
    wait("cpu", "median", "CPU jobs: half", "CPU jobs: half waited at most that long"),
    wait("cpu", "p90", "CPU jobs: 9 of 10", "CPU jobs: 9 of 10 waited at most that long"),
  ];
  return {
    name: "waits",
    title: "Waits by user",
    span: found ? spanWords(found, zone) : null,
    note: rows.length ? null : "No job started in this time.",
    columns,
    rows,
    sort: "jobs",
    why: null,
    total: null,
    cells: cellsBy(columns, stack, (user) => personName(data, user, found?.key === "all" ? "waits" : null)),
    file: exportName("queue-waits", data, zone, from, to),
  };
}
