// Where times lie on an axis that shows the clock on the wall of a zone.
//
// Plotly's date axes know no zones, so they are fed local times. When the clocks go back a stretch of the wall's clock
// comes twice: its bins share the stretch, each narrower, so that none lies on another. When they go forward the bin
// before the gap is drawn as wide as the gap.

import { offsetsAt } from "../common/clock.js";
import { remembered } from "../common/remembered.js";

/** @type {WeakMap<Data, Map<string, Axis>>} */
const axes = new WeakMap(); // data -> zone -> axis

// The axis of a report: {edges, times, texts}. `edges` are the starts of its bins and the end of the data, epochs;
// `times` the same on the clock of `zone`, rising, in milliseconds, and `texts` as Plotly takes them. A report's own
// zone needs no help from the browser.
/** @type {(data: Data, zone?: string) => Axis} */
export function axisOf(data, zone = data.metadata.zone) {
  const known = remembered(axes, data, () => new Map());
  return remembered(known, zone, () => newAxis(data, zone));
}

/** @type {(data: Data, zone: string) => Axis} */
function newAxis(data, zone) {
  const starts = data.edges.slice(0, -1);
  const last = starts.length - 1;
  const end = data.metadata.last_updated_epoch;
  const walls = zone === data.metadata.zone ? data.time_idxs.map(wallClock) : wallClocks(starts, zone);
  const times = untangled([...walls, walls[last] + (end - starts[last]) * 1000]);
  return { edges: [...starts, end], times, texts: times.map(plotlyTime) };
}

// Where a time lies, and which time lies at a place.
/** @type {(axis: Axis, epoch: number) => number} */
export function placeOf(axis, epoch) {
  return between(axis.edges, axis.times, 1000, epoch);
}

/** @type {(axis: Axis, milliseconds: number) => number} */
export function epochAt(axis, milliseconds) {
  return between(axis.times, axis.edges, 1 / 1000, milliseconds);
}

// The number of the bin that holds a value of `edges`: -1 before the first, one less than there are edges after the
// last.
/** @type {(edges: number[], value: number) => number} */
export function binAt(edges, value) {
  let [low, high] = [0, edges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (edges[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

// As Plotly takes it: "2026-11-20T14:00:00".
/** @type {(milliseconds: number) => string} */
export function plotlyTime(milliseconds) {
  return new Date(milliseconds).toISOString().slice(0, 19);
}

// As Plotly tells it: "2026-11-20 14:00:00.25", "2026-11-20 14:00" or "2026-11-20"; seconds are whole.
/** @type {(text: string) => number} */
export function plotlyPlace(text) {
  const [, day, minute = "00:00", second = ":00"] = /^(\d+-\d\d-\d\d)(?:[ T](\d\d:\d\d)(:\d\d)?)?/.exec(text) ?? [];
  return Date.parse(`${day}T${minute}${second}Z`);
}

/** @type {(froms: number[], tos: number[], pace: number, value: number) => number} */
function between(froms, tos, pace, value) {
  const last = froms.length - 1;
  if (value <= froms[0]) return tos[0] + (value - froms[0]) * pace;
  if (value >= froms[last]) return tos[last] + (value - froms[last]) * pace;
  const bin = binAt(froms, value);
  return tos[bin] + ((tos[bin + 1] - tos[bin]) * (value - froms[bin])) / (froms[bin + 1] - froms[bin]);
}

/** @type {(iso: string) => number} */
function wallClock(iso) {
  return Date.parse(`${iso.slice(0, 19)}Z`);
}

/** @type {(epochs: number[], zone: string) => number[]} */
function wallClocks(epochs, zone) {
  const offsets = offsetsAt(epochs, zone);
  return epochs.map((epoch, bin) => (epoch + offsets[bin]) * 1000);
}

/** @type {(raw: number[]) => number[]} */
function untangled(raw) {
  const times = [...raw];
  let place = 1;
  while (place < raw.length) {
    if (raw[place] > raw[place - 1]) {
      place += 1;
      continue;
    }
    const first = raw.findIndex((time) => time >= raw[place]);
    const next = raw.findIndex((time, later) => later > place && time > raw[place - 1]);
    const after = next < 0 ? raw.length : next;
    const end = next < 0 ? raw[place - 1] + (raw[1] - raw[0]) : raw[next];
    for (let bin = first; bin < after; bin += 1) {
      times[bin] = raw[first] + ((end - raw[first]) * (bin - first)) / (after - first);
    }
    place = after + 1;
  }
  return times;
}
