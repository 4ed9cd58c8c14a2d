// The page: what the reader looks at, and what is shown of it.

import { drawCharts, highlight } from "../charts/charts.js";
import { showLegend, startLegend } from "../charts/legend.js";
import { byId, element, fill, within } from "../common/dom.js";
import { drawnRange, wholeOf } from "../common/range.js";
import { startDownloads } from "./download.js";
import { userTools } from "./finder.js";
import { meOf, meTools } from "./me.js";
import { searchTools } from "./search.js";
import { bannerText, healthOf } from "./health.js";
import { chosenState, findable, setChosenState, showFirst, showReport, showSubjects, startSubjects } from "./panel.js";
import { canPoll, isCopy } from "./poll.js";
import {
  firstOf,
  forgetFirst,
  indexNow,
  indexTrouble,
  isComing,
  openReport,
  reportOf,
  startPolling,
  startReports,
  statusNow,
  troubleOf,
} from "./reports.js";
import { focusOn, goTo, showWays, startSections, tellCurrent } from "./sections.js";
import { stateLine } from "./state_line.js";
import { openTab, slugOf, startTabs } from "./tabs.js";
import { applyTheme, themeTools } from "./theme.js";
import { timeTools } from "./toolbar.js";
import { addressOfView, viewAt } from "./view.js";
import { isolated, toggled, viewModelOf } from "./view_model.js";

const TICK_MS = 10_000;
const FIRST = "overview"; // the section that is the top of the page
/** @typedef {"push" | "replace"} Keep */

const page = {
  view: viewAt(location.hash), // what the address says
  open: /** @type {string | null} */ (null), // slug of the QoS in view
  viewModel: /** @type {ViewModel | null} */ (null), // what is drawn of it
  drawing: false,
  outdated: false, // whether the charts must be drawn once more
  arrived: false,
  arriving: false, // whether what is drawn first may still move the section that is asked for
  // the range before the reader drew one with the mouse
  before: /** @type {Pick<View, "range" | "from" | "to"> | null} */ (null),
  // {hidden, only} before the first click of what may become a double one
  untoggled: /** @type {Partial<View>} */ ({}),
  tools: /** @type {Pick<Tools, "show">[]} */ ([]), // the controls
  theme: themeTools((theme) => change({ theme }, "replace")), // this browser keeps it, whatever the history says
  bar: element("div", { class: "bar-of-tools" }), // where the controls are, in the open panel
  said: element("p", { class: "said", role: "status", hidden: true }), // a sentence for the reader
  found: element("p", { class: "said", role: "status", hidden: true }), // another, of what was looked for
};

/** @type {() => void} */
function start() {
  startReports({ openEntry, show: (entry, report) => showNew(entry, report), changed: () => showView() });
  const library = byId("plotly");
  library.addEventListener("load", () => draw());
  library.addEventListener("error", () => document.documentElement.classList.add("no-plotly"));
  startControls();
  startDownloads();
  showView();
  arrive();
  addEventListener("hashchange", () => {
    const before = page.view.section;
    page.view = viewAt(location.hash);
    page.before = null;
    showView();
    if (page.view.section !== before) arrive();
  });
  for (const kind of ["wheel", "touchmove", "keydown", "pointerdown"]) {
    addEventListener(kind, () => (page.arriving = false), { passive: true }); // the reader goes their own way
  }
  setInterval(tell, TICK_MS);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw());
  startPolling();
}

/** @type {() => void} */
function startControls() {
  startTabs((slug) => change({ qos: indexNow().qos.find((entry) => entry.slug === slug)?.name ?? null }));
  fill(byId("theme"), page.theme.part);
  const sayTo = (/** @type {string} */ text) => say(page.said, text);
  const find = searchTools(goToFound, (text) => say(page.found, text), findable);
  const me = meTools((changes) => change(changes, "replace"));
  const inBar = [timeTools(changeRange, sayTo), userTools(change)];
  fill(byId("find"), [find.part, me.part, page.found]);
  fill(page.bar, [...inBar.flatMap((tools) => tools.parts), page.said]);
  page.tools = [...inBar, find, me];
  startSections((section) => {
    change({ section: section === FIRST ? null : section });
    arrive();
    if (page.open !== null) focusOn(panelOf(page.open), section);
  });
  startSubjects(() => keepView({ table: chosenState() }));
  const panels = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[role="tabpanel"]'));
  for (const panel of panels) {
    const legend = panel.querySelector(".legend"); // where there are no data yet there is none
    if (legend instanceof HTMLElement) startLegend(legend, legendActions(panel));
  }
}

// What is drawn; who asks for it pressed something in it.
/** @type {() => ViewModel} */
function drawn() {
  if (!page.viewModel) throw new Error("nothing is drawn");
  return page.viewModel;
}

/** @type {(panel: HTMLElement) => LegendActions} */
function legendActions(panel) {
  return {
    toggle(id) {
      page.untoggled = { hidden: page.view.hidden, only: page.view.only };
      change(toggled(page.view, drawn(), id));
    },
    isolate: (id) => change(isolated(drawn(), id)),
    isolateAfterToggle: (id) =>
      change(isolated(viewModelOf(drawn().data, { ...page.view, ...page.untoggled }), id), "replace"),
    unpin: (id) => change({ pinned: page.view.pinned.filter((token) => token !== id) }),
    highlight: (id) => highlight(panel, id),
  };
}

// To the section that the address names.
/** @type {() => void} */
function arrive() {
  if (page.open === null) return;
  const entry = openEntry();
  const isWhole = page.viewModel === null ? !entry || !isComing(entry) : Boolean(panelOf(page.open).dataset.drawn);
  page.arriving = page.view.section !== null && !isWhole;
  goTo(panelOf(page.open), page.view.section ?? (page.arrived ? FIRST : null));
  page.arrived = true;
}

// What the reader chose makes an entry of the history, so that Back goes back; what is `drawn` with the mouse, which
// changes often, takes the place of the last one.
/** @type {(changes: Partial<View>, kept?: Keep) => void} */
function change(changes, kept = "push") {
  page.arriving = false;
  keepView(changes, kept);
  [page.said, page.found].forEach((place) => say(place, ""));
  showView();
}

// Another view, and its address, so that it can be sent to somebody; nothing is drawn.
/** @type {(changes: Partial<View>, kept?: Keep) => void} */
function keepView(changes, kept = "replace") {
  page.view = { ...page.view, qos: page.view.qos ?? openEntry()?.name ?? null, ...changes };
  const address = addressOfView(page.view) || location.pathname + location.search;
  try {
    const here = location.hash || location.pathname + location.search;
    if (kept === "push" && address !== here) history.pushState(null, "", address);
    else history.replaceState(null, "", address);
  } catch {
    // a browser may refuse when asked too often
  }
}

// What was found: a user gets an area, all else is gone to.
/** @type {Change} */
function goToFound(changes) {
  change(changes);
  if (changes.section === undefined || page.open === null) return;
  arrive();
  focusOn(panelOf(page.open), page.view.section ?? FIRST);
}

/** @type {Change} */
function changeRange(changes) {
  if (changes.range) page.before = null;
  change(changes);
}

// A stretch drawn with the mouse; a double click leads back to what was shown before the first of them.
/** @type {(from: number, to: number) => void} */
function zoomed(from, to) {
  const { data } = drawn();
  const range = drawnRange(data, from, to);
  const whole = wholeOf(data);
  page.before ??= { range: page.view.range, from: page.view.from, to: page.view.to };
  const isAll = range.from <= whole.from && range.to >= whole.to;
  change({ range: "all", ...(isAll ? { from: null, to: null } : range) }, "replace");
}

/** @type {() => void} */
function back() {
  const before = page.before ?? { range: "all", from: null, to: null };
  page.before = null;
  change(before, "replace");
}

// The view with who the reader is, which the browser keeps.
/** @type {() => View} */
function viewNow() {
  return { ...page.view, me: meOf(page.view) };
}

/** @type {() => Entry | undefined} */
function openEntry() {
  return indexNow().qos.find((entry) => entry.slug === page.open);
}

/** @type {(slug: string) => HTMLElement} */
function panelOf(slug) {
  return byId(`panel-${slug}`);
}

// The page as the view asks for it.
/** @type {() => void} */
function showView() {
  applyTheme(page.view);
  page.theme.show(page.view);
  const { qos } = indexNow();
  const slug = slugOf(page.view.qos, qos) ?? qos[0]?.slug;
  tellCurrent();
  if (!slug) return;
  const isOther = slug !== page.open;
  page.open = slug;
  if (isOther) openTab(slug);
  showViewModel();
  tellCurrent();
  showWays((section) => addressOfView({ ...page.view, section: section === FIRST ? null : section }));
  tell();
  if (isOther) openReport(openEntry());
}

// A report that was not known before: all of it is shown or, by an error, nothing.
/** @type {(entry: Entry, report: Loaded) => void} */
function showNew(entry, report) {
  showReport(panelOf(entry.slug), viewModelOf(report.data, viewNow()));
}

// Everything in the open panel that depends on the view.
/** @type {() => void} */
function showViewModel() {
  const entry = openEntry();
  const report = entry ? reportOf(entry) : null;
  const viewModel = report && viewModelOf(report.data, viewNow());
  page.viewModel = viewModel;
  if (entry && !viewModel) showFirstOf(entry);
  if (!entry || !viewModel) return;
  const panel = panelOf(entry.slug);
  const place = within(panel, ".tools");
  if (page.bar.parentElement !== place) fill(place, page.bar);
  place.hidden = false;
  page.tools.forEach((tools) => tools.show(viewModel, page.view));
  setChosenState(page.view.table, viewModel);
  showLegend(within(panel, ".legend"), viewModel, page.view.pinned);
  showSubjects(panel, viewModel);
  if (page.arriving) goTo(panel, page.view.section);
  page.arriving &&= !document.documentElement.classList.contains("no-plotly"); // no charts will come that move it
  draw();
}

// One that is not as it should be is no more than missing.
/** @type {(entry: Entry) => void} */
function showFirstOf(entry) {
  const first = firstOf(entry);
  if (!first) return;
  try {
    showFirst(panelOf(entry.slug), first);
  } catch {
    forgetFirst(entry);
  }
}

// The line of state, the banner and the open panel's trouble; they count up by themselves.
/** @type {() => void} */
function tell() {
  const entry = openEntry();
  if (!entry) return;
  const first = page.viewModel ? null : firstOf(entry);
  try {
    tellOf(entry, page.viewModel?.data ?? first);
  } catch (error) {
    if (!first) throw error;
    forgetFirst(entry);
    tellOf(entry, null);
  }
}

/** @type {(entry: Entry, data: First | null) => void} */
function tellOf(entry, data) {
  const now = Date.now() / 1000;
  const zone = page.viewModel?.zone ?? indexNow().zone;
  const trouble = troubleOf(entry);
  const coming = !page.viewModel && isComing(entry);
  fill(byId("state"), stateLine(entry, data, zone, now, trouble, coming));
  say(byId("zone"), zone);
  const clock = isCopy() ? indexNow().generated_at : now; // that a copy is old says nothing
  const isOlder = coming && (entry.last_updated ?? 0) > (data?.metadata.last_updated_epoch ?? 0); // and newer ones come
  const health = healthOf(entry, isOlder ? null : data, indexNow(), statusNow(), clock);
  say(byId("banner"), bannerText(health, zone, clock, indexTrouble(), canPoll()));
  const panel = panelOf(entry.slug);
  panel.setAttribute("aria-busy", String(coming));
  if (entry.data) {
    const what = data ? "Charts and tables of this QoS" : "The data of this QoS";
    const why = trouble || `${entry.data} is missing`;
    say(within(panel, ".problem"), page.viewModel || coming ? "" : `${what} cannot be shown: ${why}.`);
  }
}

// Only what changed, or a screen reader reads it again each time.
/** @type {(place: HTMLElement, text: string) => void} */
function say(place, text) {
  if (place.textContent !== text) place.textContent = text;
  place.hidden = !text;
}

// Charts are drawn when they are looked at, and once Plotly has come; what comes while they are drawn is drawn after
// it.
/** @type {() => Promise<void>} */
async function draw() {
  page.outdated = true;
  if (page.drawing) return;
  page.drawing = true;
  try {
    await drawAll();
  } finally {
    page.drawing = false;
  }
}

/** @type {() => Promise<void>} */
async function drawAll() {
  while (page.outdated && page.viewModel && page.open !== null && globalThis.Plotly) {
    page.outdated = false;
    const [panel, viewModel] = [panelOf(page.open), page.viewModel];
    panel.classList.add("live"); // they need their size before they are drawn
    await drawCharts(globalThis.Plotly, panel, viewModel, styleOf(), { zoomed, back, isOver: () => page.outdated });
    if (page.outdated) continue;
    panel.dataset.drawn = String(viewModel.data.metadata.last_updated_epoch);
    if (page.arriving) goTo(panel, page.view.section);
    page.arriving = false;
  }
}

/** @type {() => ChartStyle} */
function styleOf() {
  const computed = getComputedStyle(document.body);
  const colour = (/** @type {string} */ name) => computed.getPropertyValue(`--${name}`).trim();
  return {
    text: colour("text"),
    quiet: colour("quiet"),
    line: colour("line"),
    veil: colour("veil"),
    font: computed.fontFamily,
    size: 0.78 * parseFloat(getComputedStyle(document.documentElement).fontSize),
    coarse: matchMedia("(pointer: coarse)").matches,
  };
}

start();
