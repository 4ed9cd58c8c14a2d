// The four charts on the page, the card that tells of the bin below the mouse, and the legend that they share.

import { element, fill } from "./dom.js";
import { amount } from "./format.js";
import { describe, figureOf, insteadOfChart, layerName, linesAt } from "./figure.js";
import { PICTURED, unitOf } from "./model.js";

const CONFIG = { displayModeBar: false, responsive: true, showTips: false };
const shown = new WeakMap(); // chart element -> what its hover card tells of

// Draws or redraws the charts of a panel; the promise is kept when they stand. `hidden` has the ids of layers that the
// reader switched off.
export function drawCharts(plotly, panel, report, hidden, look) {
  const layers = report.layers.filter((layer) => !hidden.has(layer.id));
  return Promise.all(PICTURED.map((key) => {
    const place = panel.querySelector(`[data-chart="${key}"]`);
    place.setAttribute("aria-label", describe(report.data, report.layers, key));
    const instead = insteadOfChart(report.data, report.layers, key);
    return instead ? leaveOut(plotly, place, instead) : drawOne(plotly, place, report.data, layers, key, look);
  }));
}

function leaveOut(plotly, place, word) {
  plotly.purge(place);
  place.classList.add("empty");
  fill(place, element("p", {}, word));
}

async function drawOne(plotly, place, data, layers, key, look) {
  if (place.classList.contains("empty")) place.replaceChildren();
  place.classList.remove("empty");
  const { traces, layout } = figureOf(data, layers, key, look);
  const whole = layout.xaxis.range.join();
  const before = shown.get(place);
  // Plotly would keep a zoom only as long as the whole range stays the same
  if (before && place.layout && place.layout.xaxis.range.join() !== before.whole) layout.xaxis.range = place.layout.xaxis.range;
  shown.set(place, { data, layers, key, whole });
  const isNew = !place.on;
  await plotly.react(place, traces, layout, CONFIG);
  if (!isNew) return;
  place.on("plotly_hover", (event) => openCard(place, event));
  place.on("plotly_unhover", () => cardOf(place).setAttribute("hidden", ""));
}

function openCard(place, event) {
  const point = event.points[0];
  const { data, layers, key } = shown.get(place);
  const told = linesAt(data, layers, key, point.pointNumber);
  const unit = unitOf(data, key).unit;
  const card = cardOf(place);
  fill(card, [
    element("p", {}, told.when),
    element("p", { class: "total" }, [element("strong", {}, amount(told.total)), ` ${unit}`]),
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

export function swatch(colour) {
  const made = element("span", { class: "swatch", "aria-hidden": "true" });
  if (colour) made.style.backgroundColor = colour;
  return made;
}

// A button for each layer; `toggle` is called with the layer's id.
export function legendOf(layers, hidden, toggle) {
  return layers.map((layer) => {
    const name = element("bdi", {}, layerName(layer));
    const button = element("button", { type: "button", "aria-pressed": String(!hidden.has(layer.id)) }, [swatch(layer.colour), name]);
    button.addEventListener("click", () => toggle(layer.id));
    return element("li", {}, button);
  });
}
