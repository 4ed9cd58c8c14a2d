// A chart as Plotly takes it: step-stacked areas of the means, the limit, the bin that is not over. Nothing here
// touches the page.

import { axisOf, binAt, placeOf, plotlyTime } from "./axis.js";
import { amount, plotlyText, shownName, timeOfDay, zoned } from "./format.js";
import { totalOf } from "./layers.js";
import { highestLimit, limitSteps } from "./limits.js";
import { WANTED, isTracked, limitOf, nameOf, own, unitOf } from "./model.js";
import { wholeOf } from "./range.js";

const ROOM_ABOVE = 1.14; // for the label of the limit
const MOST_LINES = 9;
const LABELLED = 0.25; // a shorter part of the axis has no room for the label of its limit
const HALF_A_DAY = 43_200_000;
// The labels of the axis by the step between them, short enough to stand side by side on a phone.
const DATES = [
  { dtickrange: [null, HALF_A_DAY], value: "%H:%M\n%b %-d" },
  { dtickrange: [HALF_A_DAY, "M1"], value: "%b %-d\n%Y" },
  { dtickrange: ["M1", null], value: "%b\n%Y" },
];

// {traces, layout, ids, first} of one observable in a scene; `look` has colours and type of the page. The areas have the
// layers `ids`. Only bins near the range are drawn, the first of them is number `first`. The last trace is not seen: it
// lies in the middle of each bin, where it catches the mouse for `linesAt`.
export function figureOf(scene, key, look) {
  const { data, zone, shown } = scene;
  const axis = axisOf(data, zone);
  const near = nearOf(scene);
  const first = Math.max(0, binAt(axis.edges, near.from));
  const last = Math.min(data.time_idxs.length, binAt(axis.edges, near.to - 1) + 1);
  const along = alongAxis(axis, first, last);
  const middles = axis.texts.slice(first, last).map((_, bin) => plotlyTime((axis.times[first + bin] + axis.times[first + bin + 1]) / 2));
  const means = shown.map((layer) => ({ layer, values: layer.means.get(key).slice(first, last) }));
  const some = means.filter(({ values }) => values.some((value) => value > 0));
  const probe = probeOf(middles, totalOf(data, shown, key).slice(first, last));
  const peaks = peaksOf(scene, key).slice(first, last);
  const peak = peaks.length ? [peakLine(along, peaks, look)] : [];
  const traces = [...some.map(({ layer, values }) => areaOf(layer, along, values)), ...peak, probe];
  return { traces, layout: layoutOf(scene, key, axis, look), ids: some.map(({ layer }) => layer.id), first };
}

// What is in view, and as far again on both sides, so that there is something to drag into view.
function nearOf({ data, range }) {
  const whole = wholeOf(data);
  const { from, to } = range ?? whole;
  return { from: Math.max(whole.from, from - (to - from)), to: Math.min(whole.to, to + (to - from)) };
}

// The highest use within each bin, where all who used something are shown; else nothing, since it is that of all together.
function peaksOf({ data, layers, shown }, key) {
  return shown.length === layers.length ? own(data.peaks, key, []) : [];
}

export function peakOf(values) {
  return values.reduce((most, value) => Math.max(most, value), 0);
}

// Where the areas' points lie. Plotly takes long to read a time for each: where they are evenly spread, it gets the first
// and the step. Only the end of the data, in the bin that is not over, then lies too late, where the axis ends before it.
function alongAxis({ times, texts }, first, last) {
  const step = times[first + 1] - times[first];
  for (let bin = first + 1; bin < last; bin += 1) {
    if (times[bin] - times[bin - 1] !== step) return { x: texts.slice(first, last + 1) };
  }
  return last - first > 1 ? { x0: texts[first], dx: step } : { x: texts.slice(first, last + 1) };
}

// Each mean holds up to the next time; the last one is repeated for where the data end.
function areaOf(layer, along, means) {
  return {
    type: "scatter", mode: "none", stackgroup: "users", name: plotlyText(layerName(layer)), ...along, y: [...means, means.at(-1)],
    line: { shape: "hv" }, fillcolor: layer.colour, hoverinfo: "skip",
  };
}

// Thin, above the areas: where it leaves them, use went up and down within the bin.
function peakLine(along, peaks, look) {
  const line = { shape: "hv", width: 1, color: look.quiet };
  return { type: "scatter", mode: "lines", name: "highest", ...along, y: [...peaks, peaks.at(-1)], line, hoverinfo: "skip" };
}

// A line, since markers take the browser as long as all areas together.
function probeOf(x, y) {
  return { type: "scatter", mode: "lines", name: "total", x, y, line: { width: 0 }, opacity: 0, hoverinfo: "none" };
}

export function layerName(layer) {
  return layer.name === null ? `others (${layer.users} user${layer.users === 1 ? "" : "s"})` : shownName(layer.name);
}

function layoutOf(scene, key, axis, look) {
  const { data, zone } = scene;
  const { from, to } = scene.range ?? wholeOf(data);
  const steps = limitSteps(data, key, { from, to });
  const unit = unitOf(data, key).unit;
  const timeAt = (epoch) => plotlyTime(placeOf(axis, epoch));
  const line = { gridcolor: look.line, linecolor: look.line, tickcolor: look.line, zeroline: false };
  const title = (text, standoff) => ({ text: plotlyText(text), standoff, font: { color: look.quiet, size: look.size } });
  return {
    showlegend: false, hovermode: "x", hoverdistance: -1, spikedistance: -1, dragmode: look.coarse ? false : "zoom",
    margin: marginOf(look.size), paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: look.font, size: look.size, color: look.text },
    xaxis: {
      ...line, type: "date", range: [timeAt(from), timeAt(to)], title: title(`time in ${zone}`, 8),
      showgrid: false, ticks: "outside", tickangle: 0, tickformatstops: DATES, showspikes: true, spikemode: "across", spikesnap: "hovered data",
      spikethickness: 1, spikedash: "solid", spikecolor: look.quiet,
    },
    yaxis: {
      ...line, range: [0, Math.max(highestDrawn(scene, key), highestLimit(steps)) * ROOM_ABOVE || 1], fixedrange: true, nticks: 6,
      title: title(unit, 6), separatethousands: true,
    },
    shapes: [unfinished(axis, look), ...limitLine(limitSteps(data, key, nearOf(scene)), timeAt, look)],
    annotations: limitLabels(steps, { from, to }, timeAt, unit, look),
  };
}

// The highest total, or the highest use within a bin, of those that are in view.
function highestDrawn(scene, key) {
  return Math.max(highestIn(scene, key), peakOf(inView(scene, peaksOf(scene, key))));
}

// The highest total of the bins that are in view.
function highestIn(scene, key) {
  return peakOf(inView(scene, totalOf(scene.data, scene.shown, key)));
}

function inView({ data, range }, values) {
  return range ? values.slice(Math.max(0, binAt(data.edges, range.from)), binAt(data.edges, range.to - 1) + 1) : values;
}

// Room for the ticks and titles of the axes, by the size of their type.
function marginOf(size) {
  return { l: 5.2 * size, r: 1.2 * size, t: 0.7 * size, b: 4.9 * size };
}

function unfinished({ texts }, look) {
  return {
    type: "rect", xref: "x", yref: "paper", x0: texts.at(-2), x1: texts.at(-1), y0: 0, y1: 1,
    fillcolor: look.text, opacity: 0.12, line: { width: 0 }, layer: "below",
  };
}

// One line through all stretches, with a step where one follows upon another, and a gap where there was no limit.
function limitLine(steps, timeAt, look) {
  if (!steps.length) return [];
  const at = (epoch, value) => `${timeAt(epoch).replace("T", "_")},${value}`; // in a path, T is a kind of curve
  const parts = steps.map((step, place) => `${steps[place - 1]?.to === step.from ? "L" : "M"}${at(step.from, step.value)}L${at(step.to, step.value)}`);
  const path = { type: "path", path: parts.join("") };
  const line = { color: look.text, dash: "dash", width: 1.5 };
  // a veil below the dashes, since an area may have any colour
  return [{ ...path, line: { color: look.veil, width: 4 } }, { ...path, name: "limit", line }];
}

// Each stretch that is long enough has its number at its beginning; the last one has it in any case.
function limitLabels(steps, { from, to }, timeAt, unit, look) {
  const isLong = (step) => step.to - step.from >= LABELLED * (to - from);
  return steps.filter((step, place) => isLong(step) || place === steps.length - 1).map((step) => ({
    x: timeAt(isLong(step) ? step.from : step.to), xanchor: isLong(step) ? "left" : "right", y: step.value, yanchor: "bottom",
    showarrow: false, borderpad: 2, text: plotlyText(`limit ${amount(step.value)} ${unit}`), font: { color: look.text }, bgcolor: look.veil,
  }));
}

// What the hover card says of one bin: {when, total, peak, lines: [{name, colour, value}]}, the largest first; `peak` is the
// highest use within the bin, or null.
export function linesAt(scene, key, bin) {
  const value = (layer) => layer.means.get(key)[bin];
  const some = scene.shown.filter((layer) => value(layer) > 0).sort((one, other) => value(other) - value(one));
  const lines = some.slice(0, MOST_LINES).map((layer) => ({ name: layerName(layer), colour: layer.colour, value: value(layer) }));
  const more = some.slice(MOST_LINES);
  if (more.length) lines.push({ name: `and ${more.length} more`, colour: null, value: more.reduce((sum, layer) => sum + value(layer), 0) });
  const peak = peaksOf(scene, key)[bin] ?? null;
  return { when: whenOf(scene, bin), total: some.reduce((sum, layer) => sum + value(layer), 0), peak, lines };
}

function whenOf({ data, zone }, bin) {
  const isLast = bin === data.time_idxs.length - 1;
  const end = isLast ? data.metadata.last_updated_epoch : data.edges[bin + 1];
  return `${zoned(data.edges[bin], zone)} – ${timeOfDay(end, zone)}${isLast ? ", not over" : ""}`;
}

// What stands in the place of a chart, or "".
export function insteadOfChart(scene, key) {
  const { data, range, outside, zone } = scene;
  if (!isTracked(data, key)) return "GPUs are not tracked on this cluster";
  const { from, to } = wholeOf(data);
  if (outside) return `no data of this time: they go from ${zoned(from, zone)} to ${zoned(to, zone)}`;
  const stretch = range ? "in this range" : "in this window";
  if (WANTED.has(key)) return insteadOfWanted(scene, key, stretch);
  if (!scene.layers.length) return `no jobs ${stretch}`;
  return highestIn({ ...scene, shown: scene.layers }, key) > 0 ? "" : `no ${unitOf(data, key).unit} in use ${stretch}`;
}

function insteadOfWanted(scene, key, stretch) {
  const sampled = scene.data.waiting?.sampled;
  if (!sampled || !inView(scene, sampled).some((count) => count > 0)) return `nobody looked at the queue ${stretch}`;
  return highestIn({ ...scene, shown: scene.layers }, key) > 0 ? "" : `no waiting job wanted ${unitOf(scene.data, key).unit} ${stretch}`;
}

// A chart in words, for those who do not see it.
export function describe(scene, key) {
  const { data, range, zone } = scene;
  const instead = insteadOfChart(scene, key);
  if (instead) return `${nameOf(data, key)}: ${instead}`;
  const limit = limitOf(data, key);
  const bound = limit.kind === "limit" ? `, limit ${amount(limit.value)}` : "";
  const now = WANTED.has(key) ? own(data.queue?.groups?.competing, WANTED.get(key), 0) : data.now.total[key];
  const span = range ? ` from ${zoned(range.from, zone)} to ${zoned(range.to, zone)}` : "";
  const most = amount(highestIn({ ...scene, shown: scene.layers }, key));
  return `${nameOf(data, key)} over time by user${span}: now ${amount(now)}, highest mean ${most}${bound}`;
}
