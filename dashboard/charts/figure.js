// A chart: step-stacked areas of the means, which are ours to draw, and what Plotly does, the axes, the limit and the
// bin that is not over. Nothing here touches the page.

import { amount, counted, plotlyText, shownName, timeOfDay, zoned } from "../common/format.js";
import { wholeOf } from "../common/range.js";
import { limitOf, own, usedOf } from "../common/report.js";
import { isTracked, isWanted, nameOf, resourceOf, resourcesOf, unitOf } from "../common/resources.js";
import { axisOf, binAt, placeOf, plotlyTime } from "./axis.js";
import { highestLimit, limitSteps } from "./limit_steps.js";
import { totalOf } from "./stack.js";

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

// {traces, layout, areas, lines, places, most, span, margin, first} of one observable in a viewModel; `style` has
// colours and type of the page. Only bins near the range are drawn, the first of them is number `first`. `areas` and
// `lines` have a value between each two `places`, seconds from the axis's begin, of which `span` is in view, up to
// `most`. The trace is not seen: it lies in the middle of each bin, where it catches the mouse for `linesAt`.
/** @type {(viewModel: ViewModel, key: string, style: ChartStyle) => Figure} */
export function figureOf(viewModel, key, style) {
  const { data, zone, shown } = viewModel;
  const axis = axisOf(data, zone);
  const near = nearOf(viewModel);
  const first = Math.max(0, binAt(axis.edges, near.from));
  const last = Math.min(data.time_idxs.length, binAt(axis.edges, near.to - 1) + 1);
  const total = totalOf(data, shown, key);
  const peaks = peaksOf(viewModel, key);
  const before = earlierOf(viewModel, key, total);
  const steps = limitSteps(data, key, viewModel.range ?? wholeOf(data));
  const highest = [total, peaks, before].map((values) => peakOf(inView(viewModel, values)));
  const most = Math.max(...highest, highestLimit(steps)) * ROOM_ABOVE || 1;
  const secondsTo = (/** @type {number} */ time) => (time - axis.times[0]) / 1000;
  const { from, to } = spanOf(viewModel, axis);
  return {
    traces: [probeOf(middlesOf(axis, first, last), total.slice(first, last))],
    layout: layoutOf(viewModel, key, axis, style, steps, most),
    lines: linesAbove(peaks, before, style).map((line) => ({ ...line, y: line.y.slice(first, last) })),
    areas: areasOf(viewModel, key, first, last, style),
    places: axis.times.slice(first, last + 1).map(secondsTo),
    most,
    span: { from: secondsTo(from), to: secondsTo(to) },
    margin: marginOf(style.size),
    first,
  };
}

// Those of the layers that hold something near the range; the reader's own has an edge.
/** @type {(viewModel: ViewModel, key: string, first: number, last: number, style: ChartStyle) => Area[]} */
function areasOf({ shown, me }, key, first, last, style) {
  const means = shown.map((layer) => ({ layer, y: meansOf(layer, key).slice(first, last) }));
  return means
    .filter(({ y }) => y.some((value) => value > 0))
    .map(({ layer, y }) => ({
      id: layer.id,
      name: layerName(layer),
      colour: layer.colour,
      y,
      edge: layer.name !== null && layer.name === me ? style.text : null,
    }));
}

// Lines on top of the areas. The highest use within each bin is thin: where it leaves them, use went up and down within
// the bin. The time before is faint, so that it is not taken for what was used now.
/** @type {(peaks: number[], before: (number | null)[], style: ChartStyle) => ChartLine[]} */
function linesAbove(peaks, before, style) {
  /** @type {ChartLine[]} */
  const lines = [
    { name: "highest", kind: "peak", colour: style.quiet, y: peaks },
    { name: "period before", kind: "earlier", colour: style.text, y: before },
  ];
  return lines.filter(({ y }) => y.some((value) => value !== null));
}

// What is in view, on the axis's clock.
/** @type {(viewModel: ViewModel, axis: Axis) => Span} */
function spanOf({ data, range }, axis) {
  const { from, to } = range ?? wholeOf(data);
  return { from: placeOf(axis, from), to: placeOf(axis, to) };
}

/** @type {(axis: Axis, first: number, last: number) => string[]} */
function middlesOf({ times }, first, last) {
  return times.slice(first, last).map((time, bin) => plotlyTime((time + times[first + bin + 1]) / 2));
}

/** @type {(layer: Layer, key: string) => number[]} */
function meansOf(layer, key) {
  return layer.means.get(key) ?? [];
}

// What is in view, and as far again on both sides, so that there is something to drag into view.
/** @type {(viewModel: ViewModel) => Span} */
function nearOf({ data, range }) {
  const whole = wholeOf(data);
  const { from, to } = range ?? whole;
  return { from: Math.max(whole.from, from - (to - from)), to: Math.min(whole.to, to + (to - from)) };
}

// The highest use within each bin, where all who used something are shown; else nothing, since it is that of all
// together.
/** @type {(viewModel: ViewModel, key: string) => number[]} */
function peaksOf({ data, stack, shown }, key) {
  return shown.length === stack.length ? own(data.peaks, key, []) : [];
}

// What all shown held as long before as the range is long, where the reader compares: by bin of the range, else null.
// `totals` are theirs.
/** @type {(viewModel: ViewModel, key: string, totals?: number[]) => (number | null)[]} */
function earlierOf({ data, range, before, shown }, key, totals = totalOf(data, shown, key)) {
  if (!before || !range) return [];
  const bins = Math.round((range.to - range.from) / data.metadata.time_resolution_seconds);
  const [first, last] = [binAt(data.edges, range.from), binAt(data.edges, range.to - 1)];
  return totals.map((_, bin) => (bin < first || bin > last ? null : (totals[bin - bins] ?? null)));
}

/** @type {(values: (number | null)[]) => number} */
function peakOf(values) {
  return values.reduce((/** @type {number} */ most, value) => Math.max(most, value ?? 0), 0);
}

// A line, since markers take the browser as long as all areas together.
/** @type {(x: string[], y: number[]) => object} */
function probeOf(x, y) {
  return { type: "scatter", mode: "lines", name: "total", x, y, line: { width: 0 }, opacity: 0, hoverinfo: "none" };
}

/** @type {(layer: Layer) => string} */
export function layerName(layer) {
  if (layer.name !== null) return shownName(layer.name);
  return `others (${layer.isAtMost ? "at most " : ""}${counted(layer.users, "user")})`;
}

/**
 * @type {(
 *   viewModel: ViewModel, key: string, axis: Axis, style: ChartStyle, steps: LimitStep[], most: number
 * ) => object}
 */
function layoutOf(viewModel, key, axis, style, steps, most) {
  const { data, zone } = viewModel;
  const { from, to } = viewModel.range ?? wholeOf(data);
  const unit = unitOf(data, key).unit;
  const timeAt = (/** @type {number} */ epoch) => plotlyTime(placeOf(axis, epoch));
  const line = { gridcolor: style.line, linecolor: style.line, tickcolor: style.line, zeroline: false };
  const title = (/** @type {string} */ text, /** @type {number} */ standoff) => ({
    text: plotlyText(text),
    standoff,
    font: { color: style.quiet, size: style.size },
  });
  return {
    showlegend: false,
    hovermode: "x",
    hoverdistance: -1,
    spikedistance: -1,
    dragmode: style.coarse ? false : "zoom",
    margin: marginOf(style.size),
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: style.font, size: style.size, color: style.text },
    xaxis: {
      ...line,
      type: "date",
      range: [timeAt(from), timeAt(to)],
      title: title(`time in ${zone}`, 8),
      showgrid: false,
      ticks: "outside",
      tickangle: 0,
      tickformatstops: DATES,
      showspikes: true,
      spikemode: "across",
      spikesnap: "hovered data",
      spikethickness: 1,
      spikedash: "solid",
      spikecolor: style.quiet,
    },
    yaxis: { ...line, range: [0, most], fixedrange: true, nticks: 6, title: title(unit, 6), separatethousands: true },
    shapes: [unfinished(axis, style), ...limitLine(limitSteps(data, key, nearOf(viewModel)), timeAt, style)],
    annotations: limitLabels(steps, { from, to }, timeAt, unit, style),
  };
}

// The highest total of the bins that are in view.
/** @type {(viewModel: ViewModel, key: string) => number} */
function highestIn(viewModel, key) {
  return peakOf(inView(viewModel, totalOf(viewModel.data, viewModel.shown, key)));
}

/** @type {<V>(viewModel: ViewModel, values: V[]) => V[]} */
function inView({ data, range }, values) {
  return range ? values.slice(Math.max(0, binAt(data.edges, range.from)), binAt(data.edges, range.to - 1) + 1) : values;
}

// Room for the ticks and titles of the axes, by the size of their type.
/** @type {(size: number) => { l: number, r: number, t: number, b: number }} */
function marginOf(size) {
  const [l, r, t, b] = [5.2, 1.2, 0.7, 4.9].map((part) => Math.round(part * size)); // Plotly would round them
  return { l, r, t, b };
}

/** @type {(axis: Axis, style: ChartStyle) => object} */
function unfinished({ texts }, style) {
  return {
    type: "rect",
    xref: "x",
    yref: "paper",
    x0: texts.at(-2),
    x1: texts.at(-1),
    y0: 0,
    y1: 1,
    fillcolor: style.text,
    opacity: 0.12,
    line: { width: 0 },
    layer: "below",
  };
}

// One line through all stretches, with a step where one follows upon another, and a gap where there was no limit.
/** @type {(steps: LimitStep[], timeAt: (epoch: number) => string, style: ChartStyle) => object[]} */
function limitLine(steps, timeAt, style) {
  if (!steps.length) return [];
  const at = (/** @type {number} */ epoch, /** @type {number} */ value) =>
    `${timeAt(epoch).replace("T", "_")},${value}`; // in a path, T is a kind of curve
  const parts = steps.map(
    (step, place) =>
      `${steps[place - 1]?.to === step.from ? "L" : "M"}${at(step.from, step.value)}L${at(step.to, step.value)}`,
  );
  const path = { type: "path", path: parts.join("") };
  const line = { color: style.text, dash: "dash", width: 1.5 };
  // a veil below the dashes, since an area may have any colour
  return [
    { ...path, line: { color: style.veil, width: 4 } },
    { ...path, name: "limit", line },
  ];
}

// Each stretch that is long enough has its number at its beginning; the last one has it in any case.
/**
 * @type {(
 *   steps: LimitStep[], span: Span, timeAt: (epoch: number) => string, unit: string, style: ChartStyle
 * ) => object[]}
 */
function limitLabels(steps, { from, to }, timeAt, unit, style) {
  const isLong = (/** @type {Span} */ step) => step.to - step.from >= LABELLED * (to - from);
  return steps
    .filter((step, place) => isLong(step) || place === steps.length - 1)
    .map((step) => ({
      x: timeAt(isLong(step) ? step.from : step.to),
      xanchor: isLong(step) ? "left" : "right",
      y: step.value,
      yanchor: "bottom",
      showarrow: false,
      borderpad: 2,
      text: plotlyText(`limit ${amount(step.value)} ${unit}`),
      font: { color: style.text },
      bgcolor: style.veil,
    }));
}

// What the hover card says of one bin: {when, total, peak, lines: [{name, colour, value}]}, the largest first; `peak`
// is the highest use within the bin, or null, and `before` what was used in the time that the range is compared with.
/**
 * @type {(
 *   viewModel: ViewModel, key: string, bin: number
 * ) => { when: string, total: number, peak: number | null, lines: CardLine[], before: number | null }}
 */
export function linesAt(viewModel, key, bin) {
  const value = (/** @type {Layer} */ layer) => meansOf(layer, key)[bin];
  const some = viewModel.shown.filter((layer) => value(layer) > 0).sort((one, other) => value(other) - value(one));
  /** @type {CardLine[]} */
  const lines = some
    .slice(0, MOST_LINES)
    .map((layer) => ({ name: layerName(layer), colour: layer.colour, value: value(layer) }));
  const more = some.slice(MOST_LINES);
  if (more.length) {
    lines.push({
      name: `and ${amount(more.length)} more`,
      colour: null,
      value: more.reduce((sum, layer) => sum + value(layer), 0),
    });
  }
  const peak = peaksOf(viewModel, key)[bin] ?? null;
  const before = earlierOf(viewModel, key)[bin] ?? null;
  const total = some.reduce((sum, layer) => sum + value(layer), 0);
  return { when: whenOf(viewModel, bin), total, peak, lines, before };
}

/** @type {(viewModel: ViewModel, bin: number) => string} */
function whenOf({ data, zone }, bin) {
  const isLast = bin === data.time_idxs.length - 1;
  const end = isLast ? data.metadata.last_updated_epoch : data.edges[bin + 1];
  return `${zoned(data.edges[bin], zone)} – ${timeOfDay(end, zone)}${isLast ? ", not over" : ""}`;
}

// What stands in the place of a chart, or "".
/** @type {(viewModel: ViewModel, key: string) => string} */
export function insteadOfChart(viewModel, key) {
  const { data, range, outside, zone } = viewModel;
  if (!isTold(data, key)) return "these data tell nothing of it";
  if (!isTracked(data, key)) return `${unitOf(data, key).unit} are not tracked on this cluster`;
  const { from, to } = wholeOf(data);
  if (outside) return `no data of this time: they go from ${zoned(from, zone)} to ${zoned(to, zone)}`;
  const stretch = range ? "in this range" : "in this window";
  if (isWanted(key)) return insteadOfWanted(viewModel, key, stretch);
  if (!viewModel.stack.length) return `no jobs ${stretch}`;
  return highestIn({ ...viewModel, shown: viewModel.stack }, key) > 0
    ? ""
    : `no ${unitOf(data, key).unit} in use ${stretch}`;
}

// A page may have room for a chart that came after the data.
/** @type {(data: Data, key: string) => boolean} */
function isTold(data, key) {
  return resourcesOf(data).some((resource) => resource.key === resourceOf(key) && (isWanted(key) || resource.pictured));
}

/** @type {(viewModel: ViewModel, key: string, stretch: string) => string} */
function insteadOfWanted(viewModel, key, stretch) {
  const sampled = viewModel.data.waiting?.sampled;
  if (!sampled || !inView(viewModel, sampled).some((count) => count > 0)) {
    return `nobody looked at the queue ${stretch}`;
  }
  return highestIn({ ...viewModel, shown: viewModel.stack }, key) > 0
    ? ""
    : `no waiting job wanted ${unitOf(viewModel.data, key).unit} ${stretch}`;
}

// A chart in words, for those who do not see it.
/** @type {(viewModel: ViewModel, key: string) => string} */
export function describe(viewModel, key) {
  const { data, range, zone } = viewModel;
  const instead = insteadOfChart(viewModel, key);
  if (instead) return `${nameOf(data, key)}: ${instead}`;
  const limit = limitOf(data, key);
  const used = usedOf(data, key);
  const others = used === null ? ", shared with other QoS" : "";
  const bound = limit.kind === "limit" ? `, limit ${amount(limit.value)}${others}` : "";
  const now = isWanted(key)
    ? own(data.queue?.groups?.competing, resourceOf(key), 0)
    : (used ?? own(data.now.total, key, 0));
  const span = range ? ` from ${zoned(range.from, zone)} to ${zoned(range.to, zone)}` : "";
  const most = amount(highestIn({ ...viewModel, shown: viewModel.stack }, key));
  return `${nameOf(data, key)} over time by user${span}: now ${amount(now)}, highest mean ${most}${bound}`;
}
