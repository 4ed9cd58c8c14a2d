// The four charts: step-stacked areas of the hourly means, one shared legend.

import { element, fill } from "./dom.js";
import { amount, plotlyText, shownName, wallClock, wallClockAfter } from "./format.js";
import { PICTURED, isTracked, layersOf, limitOf, own, seriesOf } from "./model.js";

export const OTHERS_COLOUR = "#BBBBBB";
const CONFIG = { displayModeBar: false, responsive: true, showTips: false };

// Plotly's data and layout of one observable; `hidden` holds names of layers, `look` colours and font of the page.
export function figureOf(data, key, hidden, look) {
  const layers = layersOf(data, OTHERS_COLOUR).filter((layer) => !hidden.has(layer.name));
  const times = timesOf(data);
  const series = layers.map((layer) => seriesOf(data, key, layer.members));
  const total = series.reduce((sum, values) => sum.map((value, place) => value + values[place]), zeros(data));
  const traces = layers.map((layer, place) => areaOf(layer, times, series[place]));
  traces.push(totalOf(times, total));
  return { traces, layout: layoutOf(data, key, times, Math.max(0, ...total), look), peak: Math.max(0, ...total) };
}

function zeros(data) {
  return new Array(data.edges.length - 1).fill(0);
}

// One time more than bins: the last step ends where the data end.
function timesOf(data) {
  const starts = data.time_idxs.map(wallClock);
  const last = data.time_idxs.length - 1;
  const end = wallClockAfter(data.time_idxs[last], data.metadata.last_updated_epoch - data.edges[last]);
  return [...starts, end];
}

function areaOf(layer, times, values) {
  const name = plotlyText(shownName(layer.name));
  return {
    type: "scatter", mode: "lines", stackgroup: "users", name, x: times, y: [...values, values.at(-1)],
    line: { shape: "hv", width: 0 }, fillcolor: layer.colour,
    hovertemplate: `%{y:,.4~g}<extra>${name}</extra>`, hoverlabel: { bordercolor: layer.colour },
  };
}

// Lies on top of the areas and cannot be seen: it is there for the hover box.
function totalOf(times, values) {
  return {
    type: "scatter", mode: "lines", name: "total", x: times, y: [...values, values.at(-1)],
    line: { shape: "hv", width: 0 }, hovertemplate: "<b>%{y:,.4~g}</b><extra><b>total</b></extra>",
  };
}

function layoutOf(data, key, times, peak, look) {
  const limit = limitOf(data, key);
  const unit = data.units[key].unit;
  const top = Math.max(peak, limit.value ?? 0) * 1.1 || 1;
  const shapes = [{
    type: "rect", xref: "x", yref: "paper", x0: times.at(-2), x1: times.at(-1), y0: 0, y1: 1,
    fillcolor: look.text, opacity: 0.08, line: { width: 0 }, layer: "below",
  }];
  const annotations = [];
  if (limit.kind === "limit") {
    const line = { color: look.text, dash: "dash", width: 1.5 };
    shapes.push({ type: "line", xref: "paper", x0: 0, x1: 1, y0: limit.value, y1: limit.value, line });
    annotations.push({
      xref: "paper", x: 0, xanchor: "left", y: limit.value, yanchor: "bottom", showarrow: false,
      text: plotlyText(`limit ${amount(limit.value)} ${unit}`), font: { size: 12, color: look.text },
    });
  }
  const grid = { gridcolor: look.grid, linecolor: look.grid, zeroline: false, fixedrange: false };
  return {
    annotations, shapes, showlegend: false, hovermode: "x unified", dragmode: "zoom",
    margin: { l: 56, r: 12, t: 8, b: 44 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: look.font, size: 12, color: look.text },
    hoverlabel: { bgcolor: look.background, font: { color: look.text, size: 12 }, namelength: -1 },
    xaxis: { ...grid, type: "date", range: [times[0], times.at(-1)], title: { text: plotlyText(data.metadata.zone) } },
    yaxis: { ...grid, range: [0, top], title: { text: plotlyText(unit) }, rangemode: "tozero" },
  };
}

// Draws or redraws the charts into the panel's figures. Returns a promise for the time when they stand.
export function drawCharts(plotly, panel, data, hidden, look) {
  const drawn = PICTURED.map((key) => {
    const place = panel.querySelector(`[data-chart="${key}"]`);
    const { traces, layout, peak } = figureOf(data, key, hidden, look);
    const word = insteadOfChart(data, key, peak, hidden);
    place.setAttribute("aria-label", describe(data, key));
    place.classList.toggle("empty", Boolean(word));
    if (word) {
      plotly.purge(place);
      fill(place, element("p", {}, word));
      return null;
    }
    if (!place.classList.contains("js-plotly-plot")) place.replaceChildren();
    return plotly.react(place, traces, layout, CONFIG);
  });
  return Promise.all(drawn);
}

function insteadOfChart(data, key, peak, hidden) {
  if (!isTracked(data, key)) return "GPUs are not tracked on this cluster.";
  if (peak > 0 || hidden.size) return "";
  return key === "NJOBS" ? "No jobs in this window." : `No ${own(data.nice_names, key, key)} used in this window.`;
}

// The chart in words, for those who do not see it.
export function describe(data, key) {
  const name = own(data.nice_names, key, key);
  if (!isTracked(data, key)) return `${name}: GPUs are not tracked on this cluster`;
  const total = seriesOf(data, key, data.users);
  const limit = limitOf(data, key);
  const bound = limit.kind === "limit" ? `, limit ${amount(limit.value)}` : "";
  const peak = amount(Math.max(0, ...total));
  return `${name} by user over time: now ${amount(data.now.total[key])}, highest hourly mean ${peak}${bound}`;
}

// A button a layer; `toggle` is called with the layer's name.
export function legendOf(data, hidden, toggle) {
  return layersOf(data, OTHERS_COLOUR).map((layer) => {
    const swatch = element("span", { class: "swatch", "aria-hidden": "true" });
    swatch.style.backgroundColor = layer.colour;
    const shown = !hidden.has(layer.name);
    const button = element("button", { type: "button", "aria-pressed": String(shown) }, [swatch, shownName(layer.name)]);
    button.addEventListener("click", () => toggle(layer.name));
    return element("li", {}, button);
  });
}
