// Findings as sums, the distribution of a resource, and what to ask for next time, on the page.

import { element, fill } from "../../common/dom.js";
import { amount, counted, zoned } from "../../common/format.js";
import { personName } from "../../common/others.js";
import { nameOf, unitOf } from "../../common/resources.js";
import { plainTable } from "../../tables/plain_table.js";
import { askWords, costWords, distributionOf, findingsIn, nothingWords, sizeWords } from "./found.js";

const SHAPES_AT_FIRST = 10;

/** @type {(data: Data, span: { from: number, to: number, jobs: number }, zone: string) => HTMLElement} */
function spanNote({ metadata }, { from, to, jobs }, zone) {
  const from_to = `${zoned(from, zone)} to ${zoned(to, zone)}`;
  return element("p", { class: "quiet" }, `${counted(jobs, "job")} that ended ${from_to}, on ${metadata.cluster}.`);
}

// How many hours of a resource were allocated to jobs of each efficiency, as bars in a table.
/** @type {(place: HTMLElement, viewModel: ViewModel, key: string) => void} */
export function showDistribution(place, { data }, key) {
  const rows = distributionOf(data, key);
  place.hidden = !rows;
  if (!rows) return;
  const { hours } = unitOf(data, key);
  const lines = rows.map((row) => [row.words, amount(row.hours), amount(row.jobs), bar(row.share)]);
  fill(place, [
    element("h3", {}, `${nameOf(data, key)}: hours by efficiency`),
    plainTable(`${hours} allocated by efficiency of the job`, ["used of allocated", hours, "jobs", ""], lines),
  ]);
}

/** @type {(share: number) => HTMLElement} */
function bar(share) {
  const made = element("span", { class: "use-bar", "aria-hidden": "true" });
  made.style.setProperty("--share", String(share));
  return made;
}

// What is found, as sums: nobody is named.
/** @type {(place: HTMLElement, viewModel: ViewModel) => void} */
export function showFindings(place, { data, zone, range }) {
  const found = findingsIn(data, range);
  place.hidden = !found;
  if (!found) return;
  const lines = found.rules.map((one) => [one.words, amount(one.jobs), costWords(data, one), one.advice]);
  const table = lines.length
    ? plainTable("Findings", ["what", "jobs", "hours", "what to write instead"], lines)
    : element("p", {}, nothingWords(data, found));
  fill(place, [element("h3", {}, "Findings"), table, spanNote(data, found, zone)]);
}

// By user, partition and size, what would have been enough.
/** @type {(place: HTMLElement, viewModel: ViewModel) => void} */
export function showAskNext(place, { data, zone }) {
  const found = data.efficiency?.ask_next;
  place.hidden = !found;
  if (!found) return;
  const isPlaced = found.shapes.some(({ partition }) => partition); // there are none where they are not shown
  const lines = found.shapes.map((shape) => [
    element("bdi", {}, personName(data, shape.user, null)),
    ...(isPlaced ? [element("bdi", {}, shape.partition)] : []),
    sizeWords(shape),
    element("code", {}, askWords(shape)),
    shape.words,
  ]);
  const tableOf = (/** @type {any[][]} */ some) =>
    plainTable(
      "What to ask for next time",
      ["user", ...(isPlaced ? ["partition"] : []), "size", "ask for", "because"],
      some,
    );
  const rest = lines.slice(SHAPES_AT_FIRST);
  fill(place, [
    element("h3", {}, "What to ask for next time"),
    lines.length
      ? tableOf(lines.slice(0, SHAPES_AT_FIRST))
      : element("p", {}, "No jobs are known that can ask for less."),
    rest.length ? element("details", {}, [element("summary", {}, `${amount(rest.length)} more`), tableOf(rest)]) : null,
    element(
      "p",
      { class: "quiet" },
      "At least 3 jobs alike; a fifth more than the longest and the largest of them needed.",
    ),
    spanNote(data, found, zone),
  ]);
}
