// What is told of a job: its cells in the table, and the card of the one that is looked at.

import { element, fill } from "../../common/dom.js";
import { amount, counted, lasting, percent, shownName, visible, zoned } from "../../common/format.js";
import { personName } from "../../common/others.js";
import { jobNamed } from "./job_rows.js";

const MOST_TASKS = 200;
/** @type {JobColumn[]} */
export const JOB_COLUMNS = [
  { key: "id", name: "Job", cell: (row) => jobLink(row) },
  { key: "user", name: "User", cell: (row, { data }) => element("bdi", {}, personName(data, row.user, null)) },
  { key: "state", name: "State", cell: (row) => visible(row.state) },
  { key: "exit", name: "Exit code", cell: exitWords },
  { key: "size", name: "Size", cell: ({ size }) => sizeOfJob(size) },
  { key: "end", name: "Ended", cell: ({ end }, { zone }) => (end === null ? "" : zoned(end, zone)) },
  { key: "waited", name: "Waited", cell: ({ waited }) => (waited === null ? "" : lasting(waited)) },
  { key: "elapsed", name: "Ran", cell: ({ elapsed }) => (elapsed === null ? "" : lasting(elapsed)) },
  {
    key: "limit",
    name: "Of its limit",
    cell: ({ elapsed, limit }) => (limit && elapsed !== null ? percent(elapsed, limit) : ""),
  },
  { key: "cpu", name: "CPU used", cell: (row) => shareWords(row, row.cpu) },
  { key: "memory", name: "Memory used", cell: (row) => shareWords(row, row.memory) },
  { key: "gpu", name: "GPU used", cell: (row) => shareWords(row, row.gpu) },
];

/** @type {(row: JobRow) => HTMLElement} */
function jobLink(row) {
  const tasks = row.tasks > 1 ? ` (${amount(row.tasks)} tasks)` : "";
  return element("a", { href: `#${jobAddress(row.id)}`, "data-job": row.id }, `${visible(row.id)}${tasks}`);
}

// The address with a job open, or none.
/** @type {(id: string | null) => string} */
export function jobAddress(id) {
  const said = new URLSearchParams(location.hash.replace(/^#/, ""));
  if (id === null) said.delete("job");
  else said.set("job", id);
  return said.toString().replaceAll("%3A", ":");
}

/** @type {(row: JobRow) => string} */
function exitWords({ exit, end }) {
  return end === null ? "" : (exit ?? "?");
}

/** @type {(size: number[] | null) => string} */
function sizeOfJob(size) {
  if (!size) return "";
  const [cpus, gpus, gib] = size;
  return [counted(cpus, "CPU"), ...(gpus ? [counted(gpus, "GPU")] : []), `${amount(gib)} GiB`].join(", ");
}

// "?" is not measured, and nothing stands where nothing was held, or the job has not ended.
/** @type {(row: JobRow, share: number | null) => string} */
function shareWords({ end, isLeast }, share) {
  if (end === null || share === -1) return "";
  if (share === null) return "?";
  return `${isLeast ? "≥ " : ""}${percent(share, 1000)}`;
}

// What is known of the job that the address names.
/** @type {(card: HTMLElement, rows: JobRow[], viewModel: ViewModel) => void} */
export function showJobCard(card, rows, viewModel) {
  const id = viewModel.job;
  if (!id) {
    fill(card, []);
    return;
  }
  const row = jobNamed(rows, id);
  const close = element("a", { href: `#${jobAddress(null)}`, "data-job": "", class: "close-job" }, "Close");
  close.addEventListener("click", (event) => {
    event.preventDefault();
    event.stopPropagation();
    location.hash = jobAddress(null);
  });
  const title = element("h4", {}, [`Job ${visible(id)}`, " ", close]);
  if (!row) {
    fill(card, [title, element("p", {}, "No job of that id is known here.")]);
    return;
  }
  const moment = (/** @type {number | null} */ epoch) => (epoch === null ? "" : zoned(epoch, viewModel.zone));
  /** @type {[string, Node | string][]} */
  const lines = JOB_COLUMNS.slice(1).map(({ name, cell }) => [name, cell(row, viewModel)]);
  lines.push(["Partition", row.partition === null ? "" : shownName(row.partition)]);
  lines.push(["Could start", moment(row.eligible)], ["Started", moment(row.start)]);
  lines.push(["Findings", row.findings.map((one) => visible(one).replaceAll("-", " ")).join(", ")]);
  const every = lines.filter(([, value]) => value);
  fill(card, [
    title,
    element(
      "dl",
      {},
      every.map(([name, value]) => element("div", {}, [element("dt", {}, name), element("dd", {}, value)])),
    ),
    row.runs ? tasksOfArray(row.runs) : null,
  ]);
}

/** @type {(runs: JobRow[]) => HTMLElement} */
function tasksOfArray(runs) {
  const items = runs
    .slice(0, MOST_TASKS)
    .map((run) => element("li", {}, [jobLink(run), ` ${visible(run.state)} ${exitWords(run)}`]));
  const rest = runs.length - items.length;
  return element("details", {}, [
    element("summary", {}, `${counted(runs.length, "run")} of its tasks`),
    element("ul", { class: "job-tasks" }, [...items, rest > 0 ? element("li", {}, `and ${amount(rest)} more`) : null]),
  ]);
}
