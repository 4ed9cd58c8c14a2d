// The page: which QoS is open, what is known of it, and when to look for newer data.

import { drawCharts, legendOf } from "./charts.js";
import { element, fill } from "./dom.js";
import { binName, timeOfDay, visible, zoned } from "./format.js";
import { headroomOf } from "./headroom.js";
import { SCHEMA_VERSION, readReport } from "./model.js";
import { canLook, isCopy, newIndex, sameTabs, textOf } from "./news.js";
import { bannerText, stateLine } from "./state.js";
import { nowTable, totalsTable } from "./tables.js";
import { startTabs } from "./tabs.js";

const TICK_MS = 10_000;
const INDEX = "index.json";

const page = {
  index: null, // what index.json says
  open: null, // slug of the QoS in view
  reports: new Map(), // slug -> {data, layers}
  hidden: new Set(), // ids of layers that the reader switched off
  trouble: new Map(), // file name -> why the last look for it failed
  looked: 0, // when (ms) the last look for newer data began
  looking: false,
};

function start() {
  page.index = JSON.parse(document.getElementById("index").textContent);
  const library = document.getElementById("plotly");
  library.addEventListener("load", () => draw());
  library.addEventListener("error", () => document.documentElement.classList.add("no-plotly"));
  startTabs(page.index.qos, openPanel);
  setInterval(tell, TICK_MS);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw());
  if (!canLook()) return;
  document.addEventListener("visibilitychange", () => Date.now() - page.looked >= period() && look(true));
  setTimeout(lookAgain, period());
  look(false);
}

function openEntry() {
  return page.index.qos.find((entry) => entry.slug === page.open);
}

function panelOf(slug) {
  return document.getElementById(`panel-${slug}`);
}

function openPanel(slug) {
  page.open = slug;
  const embedded = document.querySelector(`script[data-slug="${CSS.escape(slug)}"]`);
  if (page.reports.has(slug)) showLegend(openEntry(), page.reports.get(slug)); // users were perhaps hidden elsewhere
  else if (embedded) take(openEntry(), embedded.textContent);
  tell();
  draw();
  if (page.looked) lookAt(openEntry(), false).then(tell);
}

// One broken report is that QoS's trouble alone, and never takes the place of a good one.
function take(entry, text) {
  try {
    const report = readReport(text);
    show(entry, report);
    page.reports.set(entry.slug, report);
    page.trouble.delete(entry.data);
  } catch (error) {
    page.trouble.set(entry.data, `${entry.data}: ${error instanceof SyntaxError ? "not JSON" : error.message}`);
  }
}

function show(entry, report) {
  const { data } = report;
  const panel = panelOf(entry.slug);
  const parts = [headroomOf(data), nowTable(report), totalsTable(report)]; // all of it or nothing
  fill(panel.querySelector(".notes"), data.notes.map((note) => element("p", {}, visible(note.text))));
  [".headroom", ".now", ".totals"].forEach((place, number) => renew(panel.querySelector(place), parts[number]));
  fill(panel.querySelector(".about"), aboutCharts(data));
  panel.querySelector(".totals h3").append(element("small", {}, spanOf(data)));
  showLegend(entry, report);
}

// New children; a table in them is scrolled, and has the focus, as the one before.
function renew(place, made) {
  const before = place.querySelector(".scroll");
  const [left, top, focused] = [before?.scrollLeft, before?.scrollTop, before && before === document.activeElement];
  fill(place, made);
  const now = place.querySelector(".scroll");
  if (!before || !now) return;
  now.scrollTo({ left, top, behavior: "instant" });
  if (focused) now.focus({ preventScroll: true });
}

function aboutCharts(data) {
  const { zone, last_updated_epoch: updated, time_resolution_seconds: seconds } = data.metadata;
  const bin = binName(seconds);
  return `Means of each ${bin}. The last one, since ${timeOfDay(data.edges.at(-2), zone)}, is not over (shaded): mean up to ${timeOfDay(updated, zone)}.`;
}

function spanOf(data) {
  const [from, to] = [data.totals.from, data.totals.to].map((epoch) => zoned(epoch, data.metadata.zone));
  return ` ${from} to ${to}`;
}

function showLegend(entry, report) {
  const legend = panelOf(entry.slug).querySelector(".legend");
  const focused = [...legend.querySelectorAll("button")].indexOf(document.activeElement);
  const toggle = (id) => {
    if (!page.hidden.delete(id)) page.hidden.add(id);
    showLegend(entry, report);
    draw();
  };
  fill(legend, legendOf(report.layers, page.hidden, toggle));
  legend.querySelectorAll("button")[focused]?.focus();
}

// The line of state, the banner and the open panel's trouble; they count up by themselves.
function tell() {
  const entry = openEntry();
  if (!entry) return;
  const data = page.reports.get(entry.slug)?.data ?? null;
  const now = Date.now() / 1000;
  const trouble = [page.trouble.get(INDEX), page.trouble.get(entry.data)].filter(Boolean).join("; ");
  fill(document.getElementById("state"), stateLine(entry, data, page.index.zone, now, trouble));
  say(document.getElementById("banner"), bannerText(entry, data, page.index.zone, isCopy() ? page.index.generated_at : now)); // that a copy is old says nothing
  const panel = panelOf(entry.slug);
  panel.classList.toggle("without-data", !data);
  if (entry.data) say(panel.querySelector(".problem"), data ? "" : `The data of this QoS cannot be shown: ${trouble || `${entry.data} is missing`}.`);
}

// Only what changed, or a screen reader reads it again each time.
function say(place, text) {
  if (place.textContent !== text) place.textContent = text;
  place.hidden = !text;
}

// Charts are drawn when they are looked at, and once Plotly has come.
async function draw() {
  const panel = panelOf(page.open);
  const report = page.reports.get(page.open);
  if (!globalThis.Plotly || !report) return;
  panel.classList.add("live"); // they need their size before they are drawn
  await drawCharts(globalThis.Plotly, panel, report, page.hidden, lookOf());
  panel.dataset.drawn = String(report.data.metadata.last_updated_epoch);
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
    if (entry.slug === page.open) await draw();
  } catch (error) {
    page.trouble.set(entry.data, error.message);
  }
}

function isCurrent(report, entry) {
  return report?.data.metadata.last_updated_epoch === entry.last_updated && report.data.staleness.stale === entry.stale;
}

start();
