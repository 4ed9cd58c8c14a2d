// The table of jobs on the page: only the rows in view are there, however many there are.

import { closestTo, element, fill } from "../../common/dom.js";
import { counted, visible, zoned } from "../../common/format.js";
import { personName } from "../../common/others.js";
import { wholeOf } from "../../common/range.js";
import { JOB_COLUMNS, jobAddress, showJobCard } from "./job_card.js";
import { jobDocument } from "./job_files.js";
import { filteredJobs, foldedJobs, jobFilesOf, jobRowsIn, jobsIn, sortedJobs } from "./job_rows.js";

const ROW_PX = 30; // as high as in job_table.css
const MORE_ROWS = 15; // above and below those in view
const TYPED_MS = 150;
const UNSORTED = ["exit", "size"];
/** @type {JobChoice} */
const ALL_JOBS = { user: "", state: "", found: "", text: "", sort: "end" };
const jobChoice = { ...ALL_JOBS }; // what the reader chose
/** @type {WeakMap<HTMLElement, JobParts>} */
const jobParts = new WeakMap(); // place -> its parts
let jobsChanged = () => {};

// `told` is called when the reader chose something.
/** @type {(told: () => void) => void} */
export function startJobs(told) {
  jobsChanged = told;
}

// What the reader chose, as texts by key, without what is plain; and back.
/** @type {() => Texts} */
export function jobState() {
  const chosen = Object.entries(jobChoice).filter(
    ([key, text]) => text !== ALL_JOBS[/** @type {keyof JobChoice} */ (key)],
  );
  return Object.fromEntries(chosen.map(([key, text]) => [`jobs-${key}`, text]));
}

/** @type {(texts: Texts) => void} */
export function setJobState(texts) {
  for (const key of /** @type {(keyof JobChoice)[]} */ (Object.keys(ALL_JOBS))) {
    jobChoice[key] = texts[`jobs-${key}`] ?? ALL_JOBS[key];
  }
}

// Shows in `place` the jobs of the range; the section is there where the data tell of single jobs.
/** @type {(place: HTMLElement, viewModel: ViewModel) => void} */
export function showJobs(place, viewModel) {
  const section = place.closest('[data-part="jobs"]') ?? place;
  const { job_table: table } = viewModel.data;
  if (section instanceof HTMLElement) section.hidden = !table;
  if (!table) return;
  const known = jobParts.get(place) ?? newJobParts(place, viewModel);
  jobParts.set(place, known);
  known.viewModel = viewModel;
  for (const key of /** @type {const} */ (["user", "state", "found"])) known[key].value = jobChoice[key];
  if (document.activeElement !== known.text) known.text.value = jobChoice.text;
  if (known.isAsked || viewModel.job) loadJobs(known);
}

/** @type {(place: HTMLElement, viewModel: ViewModel) => JobParts} */
function newJobParts(place, viewModel) {
  /** @type {JobParts} */
  const known = {
    viewModel,
    isAsked: false,
    loaded: "",
    rows: [],
    shown: [],
    user: element("select", { "aria-label": "Jobs of this user" }),
    state: element("select", { "aria-label": "Jobs in this state" }),
    found: element("select", { "aria-label": "Jobs of which this was found" }),
    text: element("input", {
      type: "search",
      placeholder: "job id",
      "aria-label": "Jobs by their id",
      inputmode: "numeric",
    }),
    words: element("p", { class: "quiet", role: "status" }),
    card: element("div", { class: "job-card" }),
    head: element("thead"),
    body: element("tbody"),
    scroll: element("div", {
      class: "scroll jobs-scroll",
      tabindex: "0",
      role: "region",
      "aria-label": "Table of jobs",
    }),
    table: element("table", { class: "jobs-table", "aria-label": "Jobs" }),
  };
  hearJobs(place, known);
  fill(known.table, [known.head, known.body]);
  fill(known.scroll, known.table);
  known.scroll.hidden = true;
  fill(place, [
    element("div", { class: "grid-tools" }, [known.user, known.state, known.found, known.text]),
    known.words,
    known.card,
    known.scroll,
  ]);
  const watch = new IntersectionObserver((seen) => {
    if (!seen.some((one) => one.isIntersecting)) return;
    watch.disconnect();
    known.isAsked = true;
    loadJobs(known);
  });
  watch.observe(place);
  return known;
}

/** @type {(place: HTMLElement, known: JobParts) => void} */
function hearJobs(place, known) {
  for (const key of /** @type {const} */ (["user", "state", "found"])) {
    known[key].addEventListener("change", () => chooseJobs(known, { [key]: known[key].value }));
  }
  let typed = 0;
  known.text.addEventListener("input", () => {
    clearTimeout(typed);
    typed = setTimeout(() => chooseJobs(known, { text: known.text.value.trim() }), TYPED_MS);
  });
  known.head.addEventListener("click", (event) => {
    const key = closestTo(event, "button")?.dataset.sort;
    if (key) chooseJobs(known, { sort: jobChoice.sort === key ? `${key}-up` : key });
  });
  place.addEventListener("click", (event) => {
    const link = closestTo(event, "a[data-job]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    location.hash = jobAddress(link.dataset.job ?? null);
  });
  let isAsked = false;
  const look = () => {
    isAsked = false;
    showJobRows(known);
  };
  known.scroll.addEventListener(
    "scroll",
    () => {
      if (!isAsked) requestAnimationFrame(look);
      isAsked = true;
    },
    { passive: true },
  );
}

/** @type {(known: JobParts, choice: Partial<JobChoice>) => void} */
function chooseJobs(known, choice) {
  Object.assign(jobChoice, choice);
  known.scroll.scrollTop = 0;
  chosenJobs(known);
  jobsChanged();
}

// Brings the files of the range, and shows what has come; what is in view stays until then.
/** @type {(known: JobParts) => Promise<void>} */
async function loadJobs(known) {
  const { data, range } = known.viewModel;
  const table = data.job_table;
  if (!table) return;
  const span = range ?? wholeOf(data);
  const files = jobFilesOf(table, known.viewModel.job ? wholeOf(data) : span);
  const wanted = JSON.stringify([files.map(({ file }) => file), span, known.viewModel.zone]);
  if (known.loaded === wanted) return chosenJobs(known);
  known.loaded = wanted;
  if (!known.rows.length) known.words.textContent = "The jobs are being loaded …";
  const come = await Promise.allSettled(files.map(({ file }) => jobDocument(file)));
  if (known.loaded !== wanted) return;
  const rows = come.flatMap((one) => (one.status === "fulfilled" ? jobRowsIn(one.value) : []));
  known.every = rows;
  known.rows = jobsIn(rows, span, data.metadata.last_updated_epoch);
  const reasons = come.flatMap((one) => (one.status === "rejected" ? [messageOfJobs(one.reason)] : []));
  const left = files.reduce((sum, { left_out }) => sum + left_out, 0);
  known.note = [
    ...(reasons.length ? [`Not all could be loaded: ${reasons[0]}.`] : []),
    ...(left ? [`${counted(left, "job")} of days with very many are left out.`] : []),
    ...(table.known_from > span.from ? [`Jobs are known since ${zoned(table.known_from, known.viewModel.zone)}.`] : []),
  ].join(" ");
  if (reasons.length) known.loaded = "";
  fillJobFilters(known);
  chosenJobs(known);
}

/** @type {(error: unknown) => string} */
function messageOfJobs(error) {
  return error instanceof Error ? error.message : String(error);
}

/** @type {(known: JobParts) => void} */
function fillJobFilters({ rows, user, state, found, viewModel: { data } }) {
  const plain = (/** @type {string} */ text) => visible(text).replaceAll("-", " ");
  fillJobFilter(user, [["", "all users"]], namesIn(rows.map((row) => row.user)), jobChoice.user, (one) =>
    personName(data, one, null),
  );
  fillJobFilter(state, [["", "all states"]], namesIn(rows.map((row) => row.state)), jobChoice.state, visible);
  const first = [
    ["", "all jobs"],
    ["*", "with findings"],
  ];
  fillJobFilter(found, first, namesIn(rows.flatMap(({ findings }) => findings)), jobChoice.found, plain);
}

/** @type {(names: string[]) => string[]} */
function namesIn(names) {
  return [...new Set(names)].sort();
}

// What is chosen stays a choice where the range has none of it.
/** @type {(
 *   select: HTMLSelectElement, first: string[][], names: string[], chosen: string, words: (name: string) => string
 * ) => void} */
function fillJobFilter(select, first, names, chosen, words) {
  const known = first.some(([value]) => value === chosen) || names.includes(chosen) ? names : [...names, chosen];
  const pairs = [...first, ...known.map((name) => [name, words(name)])];
  fill(
    select,
    pairs.map(([value, name]) => element("option", { value }, name)),
  );
  select.value = chosen;
}

// What the reader chose of what has come.
/** @type {(known: JobParts) => void} */
function chosenJobs(known) {
  const { data } = known.viewModel;
  known.shown = sortedJobs(foldedJobs(filteredJobs(known.rows, jobChoice)), jobChoice.sort);
  const count = known.shown.length;
  const runs = known.rows.length;
  const words = runs
    ? `${counted(count, "row")} of ${counted(runs, "job")} on ${data.metadata.cluster}; a job array is one row.`
    : "No job ended, ran or was pending in this time.";
  known.words.textContent = [words, known.note].filter(Boolean).join(" ");
  known.scroll.hidden = !count;
  showJobHeads(known);
  known.first = -1;
  showJobRows(known);
  showJobCard(known.card, known.every ?? [], known.viewModel);
}

/** @type {(known: JobParts) => void} */
function showJobHeads(known) {
  const [key, isUp] = [jobChoice.sort.replace(/-up$/, ""), jobChoice.sort.endsWith("-up")];
  const heads = JOB_COLUMNS.map((column) =>
    element(
      "th",
      {
        scope: "col",
        class: `job-${column.key}`,
        "aria-sort": column.key === key ? (isUp ? "ascending" : "descending") : null,
      },
      UNSORTED.includes(column.key)
        ? column.name
        : element("button", { type: "button", "data-sort": column.key }, column.name),
    ),
  );
  const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.sort : undefined;
  fill(known.head, element("tr", {}, heads));
  const again = focused ? known.head.querySelector(`[data-sort="${CSS.escape(focused)}"]`) : null;
  if (again instanceof HTMLElement) again.focus({ preventScroll: true });
}

// The rows in view and some around them, between two that are as high as all others together.
/** @type {(known: JobParts) => void} */
function showJobRows(known) {
  const { scroll, shown } = known;
  const first = Math.max(0, Math.floor(scroll.scrollTop / ROW_PX) - MORE_ROWS);
  const last = Math.min(shown.length, Math.ceil((scroll.scrollTop + innerHeight) / ROW_PX) + MORE_ROWS);
  if (known.first === first && known.last === last) return;
  [known.first, known.last] = [first, last];
  known.table.setAttribute("aria-rowcount", String(shown.length + 1));
  const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.job : undefined;
  fill(known.body, [
    spacer(first),
    ...shown.slice(first, last).map((row, place) => jobLine(row, first + place, known.viewModel)),
    spacer(shown.length - last),
  ]);
  const again = focused ? known.body.querySelector(`a[data-job="${CSS.escape(focused)}"]`) : null;
  if (again instanceof HTMLElement) again.focus({ preventScroll: true });
}

/** @type {(rows: number) => HTMLElement | null} */
function spacer(rows) {
  if (!rows) return null;
  const made = element(
    "tr",
    { class: "job-spacer", "aria-hidden": "true" },
    element("td", { colspan: JOB_COLUMNS.length }),
  );
  made.style.height = `${rows * ROW_PX}px`;
  return made;
}

/** @type {(row: JobRow, place: number, viewModel: ViewModel) => HTMLElement} */
function jobLine(row, place, viewModel) {
  const cells = JOB_COLUMNS.map((column, number) =>
    element(
      number ? "td" : "th",
      { class: `job-${column.key}`, scope: number ? null : "row" },
      column.cell(row, viewModel),
    ),
  );
  const isOpen = viewModel.job === row.id;
  return element("tr", { "aria-rowindex": place + 2, class: isOpen ? "open-job" : null }, cells);
}
