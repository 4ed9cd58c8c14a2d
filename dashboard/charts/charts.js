// The charts on the page, the card that tells of the bin below the mouse, and who is lit up in them.

import { element, fill, swatch } from "../common/dom.js";
import { amount } from "../common/format.js";
import { nameOf, picturedOf, unitOf, wantedOf } from "../common/resources.js";
import { drawAreas, leaveAreasOut, showSpan } from "./areas.js";
import { axisOf, epochAt, plotlyPlace } from "./axis.js";
import { describe, figureOf, insteadOfChart, linesAt } from "./figure.js";

const CONFIG = { displayModeBar: false, responsive: true, showTips: false, doubleClick: false };
const MOST_WAIT_MS = 100; // for a frame
/** @type {WeakMap<Element, { viewModel: ViewModel, key: string, first: number }>} */
const shown = new WeakMap(); // chart element -> {viewModel, key, first} of what it shows
/** @type {WeakMap<HTMLElement, string | null>} */
const lit = new WeakMap(); // panel -> id of the layer that stands out

// Draws or redraws the charts of a panel, those in view first; the promise is kept when they stand, or `isOver()` says
// that they are to be others by now. `zoomed(from, to)` is told of what the reader draws with the mouse, in epochs;
// `back()` of a double click.
/**
 * @type {(
 *   plotly: PlotlyLibrary, panel: HTMLElement, viewModel: ViewModel, style: ChartStyle,
 *   told: { zoomed: (from: number, to: number) => void, back: () => void, isOver: () => boolean }
 * ) => Promise<void>}
 */
export async function drawCharts(plotly, panel, viewModel, style, { zoomed, back, isOver }) {
  const places = [...placesOf(panel, viewModel.data)];
  const seen = places.filter(isInView);
  for (const group of [seen, places.filter((place) => !seen.includes(place))]) {
    for (const place of group) {
      const key = place.dataset.chart ?? "";
      place.setAttribute("aria-label", describe(viewModel, key));
      const instead = insteadOfChart(viewModel, key);
      if (instead) leaveOut(plotly, place, instead);
      else if (await drawOne(plotly, place, viewModel, key, style)) listen(place, zoomed, back);
    }
    highlight(panel, lit.get(panel) ?? null);
    if (group === seen && seen.length) await shownOnce();
    if (isOver()) return;
  }
}

/** @type {(place: HTMLElement) => boolean} */
function isInView(place) {
  const { top, bottom } = place.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
}

// Once the browser has shown what was drawn; a page that nobody looks at shows nothing.
/** @type {() => Promise<void>} */
function shownOnce() {
  return new Promise((done) => {
    setTimeout(done, MOST_WAIT_MS);
    requestAnimationFrame(() => setTimeout(done));
  });
}

// Where the charts of a panel are: those that the page was made with, and one for whatever else the data have a chart
// of.
/** @type {(panel: HTMLElement, data: Data) => NodeListOf<HTMLElement>} */
function placesOf(panel, data) {
  const found = () => /** @type {NodeListOf<HTMLElement>} */ (panel.querySelectorAll("[data-chart]"));
  const known = new Set([...found()].map((place) => place.dataset.chart));
  /** @type {[string, string[]][]} */
  const groups = [
    [".charts", picturedOf(data)],
    ['[data-part="queue"] .charts', wantedOf(data)],
  ];
  for (const [selector, keys] of groups) {
    const more = keys.filter((key) => !known.has(key)).map((key) => newPlace(nameOf(data, key), key));
    panel.querySelector(selector)?.append(...more);
  }
  return found();
}

/** @type {(name: string, key: string) => HTMLElement} */
function newPlace(name, key) {
  const place = element("div", { class: "chart", role: "img", "data-chart": key, "aria-label": `${name} over time` });
  return element("figure", {}, [element("figcaption", {}, name), place]);
}

/** @type {(plotly: PlotlyLibrary, place: HTMLElement, word: string) => void} */
function leaveOut(plotly, place, word) {
  plotly.purge(place);
  leaveAreasOut(place);
  place.classList.add("empty");
  fill(place, element("p", {}, word));
  cardOf(place).hidden = true;
}

// Whether the chart is a new one. After a new one the browser may show it and hear the reader.
/**
 * @type {(
 *   plotly: PlotlyLibrary, place: HTMLElement, viewModel: ViewModel, key: string, style: ChartStyle
 * ) => Promise<boolean>}
 */
async function drawOne(plotly, place, viewModel, key, style) {
  if (place.classList.contains("empty")) place.replaceChildren();
  place.classList.remove("empty");
  const figure = figureOf(viewModel, key, style);
  shown.set(place, { viewModel, key, first: figure.first });
  const isNew = !("on" in place); // Plotly makes a chart of it
  drawAreas(place, figure);
  await plotly.react(place, figure.traces, figure.layout, isNew ? CONFIG : undefined); // it takes long to compare them
  if (isNew) await new Promise((done) => setTimeout(done));
  return isNew;
}

/** @type {(place: HTMLElement, zoomed: (from: number, to: number) => void, back: () => void) => void} */
function listen(place, zoomed, back) {
  const chart = /** @type {Chart} */ (place);
  chart.on("plotly_hover", (event) => openCard(place, event));
  chart.on("plotly_unhover", () => cardOf(place).setAttribute("hidden", ""));
  chart.on("plotly_doubleclick", back);
  const spanIn = (/** @type {Record<string, any>} */ change) => {
    const [from, to] = [change["xaxis.range[0]"], change["xaxis.range[1]"]];
    return from === undefined || to === undefined ? null : { from: plotlyPlace(from), to: plotlyPlace(to) };
  };
  chart.on("plotly_relayouting", (change) => {
    const [span, axis] = [spanIn(change), axisIn(place)];
    if (!span || !axis) return;
    const [from, to] = [span.from, span.to].map((time) => (time - axis.times[0]) / 1000);
    showSpan(place, { from, to });
  });
  chart.on("plotly_relayout", (change) => {
    const [span, axis] = [spanIn(change), axisIn(place)];
    if (span && axis) zoomed(epochAt(axis, span.from), epochAt(axis, span.to));
  });
}

/** @type {(place: HTMLElement) => Axis | null} */
function axisIn(place) {
  const viewModel = shown.get(place)?.viewModel;
  return viewModel ? axisOf(viewModel.data, viewModel.zone) : null;
}

/** @type {(place: HTMLElement, event: { points: PlotlyPoint[] }) => void} */
function openCard(place, event) {
  const point = event.points[0];
  const now = shown.get(place);
  if (!now) return;
  const { viewModel, key, first } = now;
  const told = linesAt(viewModel, key, first + point.pointNumber);
  const unit = unitOf(viewModel.data, key).unit;
  const card = cardOf(place);
  fill(card, [
    element("p", {}, told.when),
    element("p", { class: "total" }, [
      element("strong", {}, amount(told.total)),
      ` ${unit}${told.peak && told.peak > told.total * 1.005 ? `, at most ${amount(told.peak)}` : ""}`,
    ]),
    told.before === null
      ? null
      : element("p", { class: "quiet" }, `${amount(told.before)} ${unit} in the period before`),
    element("ul", {}, told.lines.map(cardLine)),
  ]);
  card.removeAttribute("hidden");
  const [from, to] = point.xaxis.range.map((time) => point.xaxis.d2c(time));
  card.classList.toggle("at-left", point.xaxis.d2c(point.x) > (from + to) / 2);
}

/** @type {(line: CardLine) => HTMLElement} */
function cardLine({ name, colour, value }) {
  return element("li", {}, [swatch(colour), element("bdi", {}, name), element("span", {}, amount(value))]);
}

/** @type {(place: HTMLElement) => HTMLElement} */
function cardOf(place) {
  const known = place.parentElement?.querySelector(".card");
  if (known instanceof HTMLElement) return known;
  const card = element("div", { class: "card", "aria-hidden": "true", hidden: true });
  place.after(card);
  return card;
}

// Lets one layer stand out from the others in all charts of a panel, or none. Nothing is drawn for it.
/** @type {(panel: HTMLElement, id: string | null) => void} */
export function highlight(panel, id) {
  lit.set(panel, id);
  for (const place of panel.querySelectorAll(".chart")) {
    const now = shown.get(place);
    if (!now) continue;
    const stands = now.viewModel.shown.some((layer) => layer.id === id);
    const areas = /** @type {NodeListOf<SVGElement>} */ (place.querySelectorAll(".area"));
    for (const area of areas) area.classList.toggle("dim", stands && area.dataset.id !== id);
  }
}
