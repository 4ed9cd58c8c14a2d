// A chart as Plotly takes it: step-stacked areas of the means, the limit, the bin that is not over. Nothing here
// touches the page.

import { plotlyTime, wallTimes } from "./axis.js";
import { amount, plotlyText, shownName, timeOfDay, zoned } from "./format.js";
import { isTracked, limitOf, nameOf, totalOf, unitOf } from "./model.js";

const ROOM_ABOVE = 1.14; // for the label of the limit
const MOST_LINES = 9;
const HALF_A_DAY = 43_200_000;
// The labels of the axis by the step between them, short enough to stand side by side on a phone.
const DATES = [
  { dtickrange: [null, HALF_A_DAY], value: "%H:%M\n%b %-d" },
  { dtickrange: [HALF_A_DAY, "M1"], value: "%b %-d\n%Y" },
  { dtickrange: ["M1", null], value: "%b\n%Y" },
];

// {traces, layout} of one observable. `layers` are those to show; `look` has colours and type of the page.
// The last trace is not seen: it lies in the middle of each bin, where it catches the mouse for `linesAt`.
export function figureOf(data, layers, key, look) {
  const times = wallTimes(data);
  const total = totalOf(data, layers, key);
  const starts = times.map(plotlyTime);
  const shown = layers.filter((layer) => layer.means.get(key).some((value) => value > 0));
  const traces = shown.map((layer) => areaOf(layer, starts, layer.means.get(key)));
  const middles = total.map((_, bin) => plotlyTime((times[bin] + times[bin + 1]) / 2));
  return { traces: [...traces, probeOf(middles, total)], layout: layoutOf(data, key, starts, peakOf(total), look) };
}

export function peakOf(values) {
  return values.reduce((most, value) => Math.max(most, value), 0);
}

// Each mean holds up to the next time; the last one is repeated for where the data end.
function areaOf(layer, x, means) {
  return {
    type: "scatter", mode: "lines", stackgroup: "users", name: plotlyText(layerName(layer)), x, y: [...means, means.at(-1)],
    line: { shape: "hv", width: 0 }, fillcolor: layer.colour, hoverinfo: "skip",
  };
}

function probeOf(x, y) {
  return { type: "scatter", mode: "markers", name: "total", x, y, marker: { opacity: 0 }, hoverinfo: "none" };
}

export function layerName(layer) {
  return layer.name === null ? `others (${layer.users} user${layer.users === 1 ? "" : "s"})` : shownName(layer.name);
}

function layoutOf(data, key, starts, peak, look) {
  const limit = limitOf(data, key);
  const unit = unitOf(data, key).unit;
  const line = { gridcolor: look.line, linecolor: look.line, tickcolor: look.line, zeroline: false };
  const title = (text, standoff) => ({ text: plotlyText(text), standoff, font: { color: look.quiet, size: look.size } });
  return {
    showlegend: false, hovermode: "x", hoverdistance: -1, spikedistance: -1, dragmode: look.coarse ? false : "zoom",
    uirevision: "kept", margin: marginOf(look.size), paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: look.font, size: look.size, color: look.text },
    xaxis: {
      ...line, type: "date", range: [starts[0], starts.at(-1)], title: title(`time in ${data.metadata.zone}`, 8),
      showgrid: false, ticks: "outside", tickangle: 0, tickformatstops: DATES, showspikes: true, spikemode: "across", spikesnap: "hovered data",
      spikethickness: 1, spikedash: "solid", spikecolor: look.quiet,
    },
    yaxis: {
      ...line, range: [0, Math.max(peak, limit.value ?? 0) * ROOM_ABOVE || 1], fixedrange: true, nticks: 6,
      title: title(unit, 6), separatethousands: true,
    },
    shapes: [unfinished(starts, look), ...limitLine(limit, look)],
    annotations: limitLabel(limit, unit, look),
  };
}

// Room for the ticks and titles of the axes, by the size of their type.
function marginOf(size) {
  return { l: 5.2 * size, r: 1.2 * size, t: 0.7 * size, b: 4.9 * size };
}

function unfinished(starts, look) {
  return {
    type: "rect", xref: "x", yref: "paper", x0: starts.at(-2), x1: starts.at(-1), y0: 0, y1: 1,
    fillcolor: look.text, opacity: 0.12, line: { width: 0 }, layer: "below",
  };
}

function limitLine(limit, look) {
  if (limit.kind !== "limit") return [];
  const at = { type: "line", xref: "paper", x0: 0, x1: 1, y0: limit.value, y1: limit.value };
  const line = { color: look.text, dash: "dash", width: 1.5 };
  // a veil below the dashes, since an area may have any colour
  return [{ ...at, line: { color: look.veil, width: 4 } }, { ...at, name: "limit", line }];
}

function limitLabel(limit, unit, look) {
  if (limit.kind !== "limit") return [];
  return [{
    xref: "paper", x: 0, xanchor: "left", y: limit.value, yanchor: "bottom", showarrow: false, borderpad: 2,
    text: plotlyText(`limit ${amount(limit.value)} ${unit}`), font: { color: look.text }, bgcolor: look.veil,
  }];
}

// What the hover card says of one bin: {when, total, lines: [{name, colour, value}]}, the largest first.
export function linesAt(data, layers, key, bin) {
  const value = (layer) => layer.means.get(key)[bin];
  const some = layers.filter((layer) => value(layer) > 0).sort((one, other) => value(other) - value(one));
  const lines = some.slice(0, MOST_LINES).map((layer) => ({ name: layerName(layer), colour: layer.colour, value: value(layer) }));
  const more = some.slice(MOST_LINES);
  if (more.length) lines.push({ name: `and ${more.length} more`, colour: null, value: more.reduce((sum, layer) => sum + value(layer), 0) });
  return { when: whenOf(data, bin), total: some.reduce((sum, layer) => sum + value(layer), 0), lines };
}

function whenOf(data, bin) {
  const isLast = bin === data.time_idxs.length - 1;
  const end = isLast ? data.metadata.last_updated_epoch : data.edges[bin + 1];
  const zone = data.metadata.zone;
  return `${zoned(data.edges[bin], zone)} – ${timeOfDay(end, zone)}${isLast ? ", not over" : ""}`;
}

// What stands in the place of a chart, or "".
export function insteadOfChart(data, layers, key) {
  if (!isTracked(data, key)) return "GPUs are not tracked on this cluster";
  if (!layers.length) return "no jobs in this window";
  return peakOf(totalOf(data, layers, key)) > 0 ? "" : `no ${unitOf(data, key).unit} in use in this window`;
}

// A chart in words, for those who do not see it.
export function describe(data, layers, key) {
  const instead = insteadOfChart(data, layers, key);
  if (instead) return `${nameOf(data, key)}: ${instead}`;
  const limit = limitOf(data, key);
  const bound = limit.kind === "limit" ? `, limit ${amount(limit.value)}` : "";
  const most = amount(peakOf(totalOf(data, layers, key)));
  return `${nameOf(data, key)} over time by user: now ${amount(data.now.total[key])}, highest mean ${most}${bound}`;
}
