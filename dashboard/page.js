// The page: what the reader looks at, what is known of it, and when to look for newer data.

import { drawCharts, highlight } from "./charts.js";
import { element, fill } from "./dom.js";
import { userTools } from "./finder.js";
import { showLegend, startLegend } from "./legend.js";
import { SCHEMA_VERSION, readReport } from "./model.js";
import { canLook, newIndex, sameTabs, textOf } from "./news.js";
import { showReport, showTables } from "./panel.js";
import { drawnRange, wholeOf } from "./range.js";
import { isolated, sceneOf, toggled } from "./scene.js";
import { bannerText, stateLine } from "./state.js";
import { openTab, slugOf, startTabs } from "./tabs.js";
import { applyTheme, themeTools } from "./theme.js";
import { timeTools } from "./toolbar.js";
import { addressOfView, viewAt } from "./view.js";

const TICK_MS = 10_000;
const INDEX = "index.json";

const page = {
  index: null, // what index.json says
  view: null, // what the address says
  open: null, // slug of the QoS in view
  scene: null, // what is drawn of it, or null
  reports: new Map(), // slug -> {data}
  trouble: new Map(), // file name -> why the last look for it failed
  looked: 0, // when (ms) the last look for newer data began
  looking: false,
  drawing: null, // kept when the charts stand
  outdated: false, // whether they must be drawn again then
  before: null, // the range before the reader drew one with the mouse
  untoggled: null, // {hidden, only} before the first click of what may become a double one
  tools: [], // controls: {parts, show(scene, view)}
  theme: null,
};

function start() {
  page.index = JSON.parse(document.getElementById("index").textContent);
  page.view = viewAt(location.hash);
  const library = document.getElementById("plotly");
  library.addEventListener("load", () => draw());
  library.addEventListener("error", () => document.documentElement.classList.add("no-plotly"));
  startControls();
  showView();
  addEventListener("hashchange", () => {
    page.view = viewAt(location.hash);
    showView();
  });
  setInterval(tell, TICK_MS);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw());
  if (!canLook()) return;
  document.addEventListener("visibilitychange", () => Date.now() - page.looked >= period() && look(true));
  setTimeout(lookAgain, period());
  look(false);
}

function startControls() {
  startTabs((slug) => change({ qos: page.index.qos.find((entry) => entry.slug === slug).name }));
  page.theme = themeTools((theme) => change({ theme }));
  fill(document.getElementById("theme"), page.theme.part);
  const said = element("p", { class: "said", role: "status", hidden: true });
  const sayTo = (text) => say(said, text);
  page.tools = [timeTools(changeRange, sayTo), userTools(change, sayTo)];
  page.bar = element("div", { class: "bar-of-tools" }, [...page.tools.flatMap((tools) => tools.parts), said]);
  document.querySelectorAll(".legend").forEach((list) => startLegend(list, legendActions(list.closest('[role="tabpanel"]'))));
}

function legendActions(panel) {
  return {
    toggle(id) {
      page.untoggled = { hidden: page.view.hidden, only: page.view.only };
      change(toggled(page.view, page.scene, id));
    },
    isolate: (id) => change(isolated(page.scene, id)),
    isolateAfterToggle: (id) => change(isolated(sceneOf(page.scene.data, { ...page.view, ...page.untoggled }), id)),
    showAll: () => change({ hidden: [], only: [] }),
    unpin: (id) => change({ pinned: page.view.pinned.filter((token) => token !== id) }),
    highlight: (id) => highlight(panel, id),
  };
}

// Another view, and its address, so that it can be sent to somebody.
function change(changes) {
  page.view = { ...page.view, ...changes };
  try {
    history.replaceState(null, "", addressOfView(page.view) || location.pathname + location.search);
  } catch {
    // a browser may refuse when asked too often
  }
  showView();
}

function changeRange(changes) {
  if (changes.range) page.before = null;
  change(changes);
}

// A stretch drawn with the mouse; a double click leads back to what was shown before the first of them.
function zoomed(from, to) {
  const { data } = page.scene;
  const range = drawnRange(data, from, to);
  const whole = wholeOf(data);
  page.before ??= { range: page.view.range, from: page.view.from, to: page.view.to };
  if (range.from <= whole.from && range.to >= whole.to) change({ range: "all", from: null, to: null });
  else if (range.from < range.to) change({ range: "all", ...range });
  else draw(); // dragged away from all data
}

function back() {
  const before = page.before ?? { range: "all", from: null, to: null };
  page.before = null;
  change(before);
}

function showView() {
  applyTheme(page.view);
  page.theme.show(page.view);
  const slug = slugOf(page.view.qos, page.index.qos) ?? page.index.qos[0]?.slug;
  if (!slug) return;
  if (slug !== page.open) openPanel(slug);
  else showScene();
}

function openEntry() {
  return page.index.qos.find((entry) => entry.slug === page.open);
}

function panelOf(slug) {
  return document.getElementById(`panel-${slug}`);
}

function openPanel(slug) {
  page.open = slug;
  openTab(slug);
  const embedded = document.querySelector(`script[data-slug="${CSS.escape(slug)}"]`);
  if (!page.reports.has(slug) && embedded) take(openEntry(), embedded.textContent);
  else showScene();
  tell();
  if (page.looked) lookAt(openEntry(), false).then(tell);
}

// One broken report is that QoS's trouble alone, and never takes the place of a good one.
function take(entry, text) {
  try {
    const report = readReport(text);
    const scene = sceneOf(report.data, page.view);
    showReport(panelOf(entry.slug), scene); // all of it or nothing
    page.reports.set(entry.slug, report);
    page.trouble.delete(entry.data);
  } catch (error) {
    page.trouble.set(entry.data, `${entry.data}: ${error instanceof SyntaxError ? "not JSON" : error.message}`);
  }
  if (entry.slug === page.open) showScene();
}

// Everything in the open panel that depends on the view.
function showScene() {
  const panel = panelOf(page.open);
  const report = page.reports.get(page.open);
  page.scene = report ? sceneOf(report.data, page.view) : null;
  if (!page.scene) return;
  const place = panel.querySelector(".tools");
  if (page.bar.parentElement !== place) fill(place, page.bar);
  place.hidden = false;
  page.tools.forEach((tools) => tools.show(page.scene, page.view));
  showLegend(panel.querySelector(".legend"), page.scene, page.view.pinned);
  showTables(panel, page.scene);
  draw();
}

// The line of state, the banner and the open panel's trouble; they count up by themselves.
function tell() {
  const entry = openEntry();
  if (!entry) return;
  const data = page.reports.get(entry.slug)?.data ?? null;
  const now = Date.now() / 1000;
  const zone = page.scene?.zone ?? page.index.zone;
  const trouble = [page.trouble.get(INDEX), page.trouble.get(entry.data)].filter(Boolean).join("; ");
  fill(document.getElementById("state"), stateLine(entry, data, zone, now, trouble));
  say(document.getElementById("zone"), zone);
  say(document.getElementById("banner"), bannerText(entry, data, zone, now));
  const panel = panelOf(entry.slug);
  panel.classList.toggle("without-data", !data);
  if (entry.data) say(panel.querySelector(".problem"), data ? "" : `The data of this QoS cannot be shown: ${trouble || `${entry.data} is missing`}.`);
}

// Only what changed, or a screen reader reads it again each time.
function say(place, text) {
  if (place.textContent !== text) place.textContent = text;
  place.hidden = !text;
}

// Charts are drawn when they are looked at, and once Plotly has come; what comes while they are drawn is drawn after it.
async function draw() {
  page.outdated = true;
  if (page.drawing) return page.drawing;
  page.drawing = drawAll();
  await page.drawing;
  page.drawing = null;
  return undefined;
}

async function drawAll() {
  while (page.outdated && page.scene && globalThis.Plotly) {
    page.outdated = false;
    const [panel, scene] = [panelOf(page.open), page.scene];
    panel.classList.add("live"); // they need their size before they are drawn
    await drawCharts(globalThis.Plotly, panel, scene, lookOf(), { zoomed, back });
    panel.dataset.drawn = String(scene.data.metadata.last_updated_epoch);
  }
}

function lookOf() {
  const style = getComputedStyle(document.body);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    text: colour("text"), quiet: colour("quiet"), line: colour("line"), veil: colour("veil"), font: style.fontFamily,
    size: 0.78 * parseFloat(getComputedStyle(document.documentElement).fontSize), coarse: matchMedia("(pointer: coarse)").matches,
  };
}

function period() {
  return 1000 * Math.max(1, page.index.refresh_seconds);
}

async function lookAgain() {
  await look(true);
  setTimeout(lookAgain, period());
}

// Newer data, while somebody looks. Where `always` is false, data that the index says are in view already are not fetched.
async function look(always) {
  if (document.hidden || page.looking || !canLook()) return;
  [page.looking, page.looked] = [true, Date.now()];
  try {
    const index = await newIndex(SCHEMA_VERSION);
    page.trouble.delete(INDEX);
    if (!sameTabs(index, page.index)) location.reload();
    page.index = index;
  } catch (error) {
    page.trouble.set(INDEX, error.message);
  }
  await lookAt(openEntry(), always);
  page.looking = false;
  tell();
}

async function lookAt(entry, always) {
  if (!entry?.data || (!always && isCurrent(page.reports.get(entry.slug), entry))) return;
  try {
    take(entry, await textOf(entry.data));
  } catch (error) {
    page.trouble.set(entry.data, error.message);
  }
}

function isCurrent(report, entry) {
  return report?.data.metadata.last_updated_epoch === entry.last_updated && report.data.staleness.stale === entry.stale;
}

start();
