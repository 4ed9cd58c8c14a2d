// The charts on the page, the card that tells of the bin below the mouse, and who is lit up in them.

import { element, fill, swatch } from "../shared/dom.js";
import { amount } from "../shared/format.js";
import { nameOf, picturedOf, unitOf, wantedOf } from "../shared/resources.js";
import { axisOf, epochAt, plotlyPlace } from "./axis.js";
import { describe, figureOf, insteadOfChart, linesAt } from "./figure.js";

const CONFIG = { displayModeBar: false, responsive: true, showTips: false, doubleClick: false };
const shown = new WeakMap(); // chart element -> {viewModel, key, ids, first} of what it shows
const lit = new WeakMap(); // panel -> id of the layer that stands out

// Draws or redraws the charts of a panel; the promise is kept when they stand. `zoomed(from, to)` is told of what the
// reader draws with the mouse, in epochs; `back()` of a double click.
export async function drawCharts(plotly, panel, viewModel, style, { zoomed, back }) {
  for (const place of placesOf(panel, viewModel.data)) {
    const key = place.dataset.chart;
    place.setAttribute("aria-label", describe(viewModel, key));
    const instead = insteadOfChart(viewModel, key);
    if (instead) leaveOut(plotly, place, instead);
    else if (await drawOne(plotly, place, viewModel, key, style)) listen(place, zoomed, back);
  }
  highlight(panel, lit.get(panel) ?? null);
}

// Where the charts of a panel are: those that the page was made with, and one for whatever else the data have a chart of.
function placesOf(panel, data) {
  const known = new Set([...panel.querySelectorAll("[data-chart]")].map((place) => place.dataset.chart));
  const groups = [
    [".charts", picturedOf(data)],
    [".limits-queue .charts", wantedOf(data)],
  ];
  for (const [selector, keys] of groups) {
    const more = keys.filter((key) => !known.has(key)).map((key) => newPlace(nameOf(data, key), key));
    panel.querySelector(selector)?.append(...more);
  }
  return panel.querySelectorAll("[data-chart]");
}

function newPlace(name, key) {
  const place = element("div", { class: "chart", role: "img", "data-chart": key, "aria-label": `${name} over time` });
  return element("figure", {}, [element("figcaption", {}, name), place]);
}

function leaveOut(plotly, place, word) {
  plotly.purge(place);
  place.classList.add("empty");
  fill(place, element("p", {}, word));
  cardOf(place).hidden = true;
}

// Whether the chart is a new one. After a new one the browser may show it and hear the reader.
async function drawOne(plotly, place, viewModel, key, style) {
  if (place.classList.contains("empty")) place.replaceChildren();
  place.classList.remove("empty");
  const { traces, layout, ids, first } = figureOf(viewModel, key, style);
  shown.set(place, { viewModel, key, ids, first });
  const isNew = !place.on;
  await plotly.react(place, traces, layout, CONFIG);
  if (isNew) await new Promise((done) => setTimeout(done));
  return isNew;
}

function listen(place, zoomed, back) {
  place.on("plotly_hover", (event) => openCard(place, event));
  place.on("plotly_unhover", () => cardOf(place).setAttribute("hidden", ""));
  place.on("plotly_doubleclick", back);
  place.on("plotly_relayout", (change) => {
    const [from, to] = [change["xaxis.range[0]"], change["xaxis.range[1]"]];
    const { viewModel } = shown.get(place);
    const axis = axisOf(viewModel.data, viewModel.zone);
    if (from !== undefined && to !== undefined) zoomed(...[from, to].map((time) => epochAt(axis, plotlyPlace(time))));
  });
}

function openCard(place, event) {
  const point = event.points[0];
  const { viewModel, key, first } = shown.get(place);
  const told = linesAt(viewModel, key, first + point.pointNumber);
  const unit = unitOf(viewModel.data, key).unit;
  const card = cardOf(place);
  fill(card, [
    element("p", {}, told.when),
    element("p", { class: "total" }, [
      element("strong", {}, amount(told.total)),
      ` ${unit}${told.peak > told.total * 1.005 ? `, at most ${amount(told.peak)}` : ""}`,
    ]),
    element("ul", {}, told.lines.map(cardLine)),
  ]);
  card.removeAttribute("hidden");
  const [from, to] = point.xaxis.range.map((time) => point.xaxis.d2c(time));
  card.classList.toggle("at-left", point.xaxis.d2c(point.x) > (from + to) / 2);
}

function cardLine({ name, colour, value }) {
  return element("li", {}, [swatch(colour), element("bdi", {}, name), element("span", {}, amount(value))]);
}

function cardOf(place) {
  const known = place.parentElement.querySelector(".card");
  if (known) return known;
  const card = element("div", { class: "card", "aria-hidden": "true", hidden: true });
  place.after(card);
  return card;
}

// Lets one layer stand out from the others in all charts of a panel, or none. Nothing is drawn for it.
export function highlight(panel, id) {
  lit.set(panel, id);
  for (const place of panel.querySelectorAll(".chart")) {
    const { viewModel, ids } = shown.get(place) ?? {};
    if (!viewModel) continue;
    const stands = viewModel.shown.some((layer) => layer.id === id);
    // Plotly makes one element for the area of each trace, in their order
    place
      .querySelectorAll(".scatterlayer .js-fill")
      .forEach((area, number) => area.classList.toggle("dim", stands && ids[number] !== id));
  }
}
