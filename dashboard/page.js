// The page: tabs, the line of state, and looking for newer data.

import { drawCharts, legendOf } from "./charts.js";
import { element, fill } from "./dom.js";
import { ago, amount, duration, zoned } from "./format.js";
import { parseData, warnings } from "./model.js";
import { headroomOf, nowTable, totalsTable } from "./tables.js";

const TICK_MS = 10_000;

const page = {
  index: null, // what index.json says
  reports: new Map(), // slug -> the QoS's JSON
  hidden: new Set(), // names of layers that the reader switched off
  trouble: "", // why the last look for newer data failed
};

function start() {
  document.documentElement.classList.add("js");
  page.index = JSON.parse(document.getElementById("index").textContent);
  for (const entry of page.index.qos) {
    const embedded = document.querySelector(`script[data-slug="${CSS.escape(entry.slug)}"]`);
    if (embedded) take(entry, embedded.textContent);
    showReport(entry);
  }
  for (const tab of tabs()) {
    tab.addEventListener("click", () => select(tab, true));
    tab.addEventListener("keydown", moveWithArrows);
  }
  addEventListener("hashchange", selectByAddress);
  document.addEventListener("visibilitychange", () => document.hidden || refresh());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw(activeEntry()));
  document.getElementById("plotly")?.addEventListener("load", () => draw(activeEntry()));
  selectByAddress();
  tick();
  setInterval(tick, TICK_MS);
  if (location.protocol.startsWith("http")) setInterval(refresh, page.index.refresh_seconds * 1000);
}

// One broken report is that QoS's trouble alone.
function take(entry, text) {
  try {
    page.reports.set(entry.slug, parseData(text));
    return true;
  } catch (error) {
    page.trouble = `${entry.title}: ${error.message}`;
    return false;
  }
}

function tabs() {
  return [...document.querySelectorAll('[role="tab"]')];
}

function panelOf(entry) {
  return document.getElementById(`panel-${entry.slug}`);
}

function activeEntry() {
  const tab = tabs().find((one) => one.getAttribute("aria-selected") === "true") ?? tabs()[0];
  return page.index.qos.find((entry) => entry.slug === tab.dataset.slug);
}

function select(tab, remember) {
  for (const one of tabs()) {
    const chosen = one === tab;
    one.setAttribute("aria-selected", String(chosen));
    one.tabIndex = chosen ? 0 : -1;
    document.getElementById(one.getAttribute("aria-controls")).hidden = !chosen;
  }
  const entry = activeEntry();
  if (remember) history.replaceState(null, "", `#qos=${encodeURIComponent(entry.name)}`);
  tick();
  draw(entry);
}

function selectByAddress() {
  const wanted = new URLSearchParams(location.hash.slice(1)).get("qos");
  const entry = page.index.qos.find((one) => one.name === wanted) ?? page.index.qos[0];
  select(tabs().find((tab) => tab.dataset.slug === entry.slug), false);
}

function moveWithArrows(event) {
  const all = tabs();
  const place = all.indexOf(event.currentTarget);
  const target = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: all.length - 1 }[event.key];
  if (target === undefined) return;
  event.preventDefault();
  const tab = all.at(target % all.length);
  select(tab, true);
  tab.focus();
}

// The line of state and the warnings, which count up by themselves.
function tick() {
  const entry = activeEntry();
  const data = page.reports.get(entry.slug);
  const now = Date.now() / 1000;
  const updated = data ? data.metadata.last_updated_epoch : entry.last_updated;
  const time = updated && element("time", { datetime: new Date(updated * 1000).toISOString(), title: zoned(updated, page.index.zone) }, ago(now - updated));
  const parts = time ? ["updated ", time] : ["no data yet"];
  if (data?.rejects.count) parts.push(` · ${amount(data.rejects.count)} rows of Slurm's were not understood and are left out`);
  if (page.trouble) parts.push(` · looking for newer data failed: ${page.trouble}`);
  fill(document.getElementById("state"), parts);
  const told = warnings(page.index, entry, data, now).map((warning) => element("p", {}, sentence(warning, entry, now)));
  const banner = document.getElementById("banner");
  const text = told.map((line) => line.textContent).join("\n");
  if (banner.textContent !== text.replaceAll("\n", "")) fill(banner, told); // or a screen reader reads it again each time
  banner.hidden = !told.length;
}

function sentence({ kind, since, reason }, entry, now) {
  const why = reason ? ` Reason: ${reason}` : "";
  if (kind === "missing") return `There are no data of ${entry.title} yet.${why}`;
  const when = `${zoned(since, page.index.zone)} (${duration(now - since)} ago)`;
  if (kind === "silent") return `This page has not been renewed since ${when}: what runs now may look different.`;
  return `The data of ${entry.title} are old: they are complete up to ${when} and not newer.${why}`;
}

function showReport(entry) {
  const data = page.reports.get(entry.slug);
  const panel = panelOf(entry);
  panel.classList.toggle("without-data", !data);
  const tab = tabs().find((one) => one.dataset.slug === entry.slug);
  tab.classList.toggle("without-data", !data);
  if (!data) return;
  fill(panel.querySelector(".notes"), data.notes.map((note) => element("p", {}, note.text)));
  fill(panel.querySelector(".headroom"), headroomOf(data));
  fill(panel.querySelector(".now"), nowTable(data));
  fill(panel.querySelector(".totals"), [totalsTable(data), spanOf(data)]);
  showLegend(entry, data);
}

function spanOf(data) {
  const [from, to] = [data.totals.from, data.totals.to].map((epoch) => zoned(epoch, page.index.zone));
  return element("p", { class: "quiet" }, `From ${from} to ${to}.`);
}

function showLegend(entry, data) {
  const legend = panelOf(entry).querySelector(".legend");
  const focused = [...legend.querySelectorAll("button")].indexOf(document.activeElement);
  const toggle = (name) => {
    if (!page.hidden.delete(name)) page.hidden.add(name);
    showLegend(entry, data);
    draw(entry);
  };
  fill(legend, legendOf(data, page.hidden, toggle));
  if (focused >= 0) legend.querySelectorAll("button")[focused]?.focus();
}

// Charts are drawn when they are looked at, and only once Plotly has come.
async function draw(entry) {
  const data = page.reports.get(entry.slug);
  const panel = panelOf(entry);
  if (!globalThis.Plotly || !data || panel.hidden) return;
  panel.classList.add("live"); // charts need their size before they are drawn
  await drawCharts(globalThis.Plotly, panel, data, page.hidden, look());
  panel.dataset.drawn = String(data.metadata.last_updated_epoch);
}

function look() {
  const style = getComputedStyle(document.body);
  const colour = (name) => style.getPropertyValue(name).trim();
  return { text: colour("--text"), grid: colour("--line"), background: colour("--card"), font: style.fontFamily };
}

// Newer data, while somebody looks. The server answers "not modified" where nothing changed.
async function refresh() {
  if (document.hidden || !location.protocol.startsWith("http")) return;
  page.trouble = "";
  try {
    const index = JSON.parse(await fetchText("index.json"));
    for (const entry of index.qos) {
      const known = page.index.qos.find((one) => one.slug === entry.slug);
      if (!known) location.reload(); // a QoS came or went: its tab is made with the page
      Object.assign(known, entry);
    }
    page.index = { ...page.index, ...index, qos: page.index.qos };
  } catch (error) {
    page.trouble = error.message;
  }
  await Promise.all(page.index.qos.filter((entry) => entry.data).map(refreshReport));
  tick();
  draw(activeEntry());
}

async function refreshReport(entry) {
  try {
    if (take(entry, await fetchText(entry.data))) showReport(entry);
  } catch (error) {
    page.trouble = `${entry.title}: ${error.message}`;
  }
}

async function fetchText(name) {
  const answer = await fetch(encodeURIComponent(name), { cache: "no-cache" });
  if (!answer.ok) throw new Error(`${name}: the server answered ${answer.status}`);
  return answer.text();
}

start();
