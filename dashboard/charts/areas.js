// The areas of a chart, steps stacked on one another, and its lines, below what Plotly draws. Plotly takes about two
// milliseconds for each of them, and so most of the time of a click; a path of SVG takes a tenth of that.
//
// The drawing has the axis's own measures, seconds along and thousandths of its height up, and is stretched over the
// plot: so it keeps its place in a window of another size, and follows what is dragged, without being drawn anew.

import { drawing } from "../common/dom.js";

const SHEET_HEIGHT = 1000;

// The outline of what lies between two step lines, each value of which holds from its place to the next; there is one
// more of `places`. Both lines are heights in the drawing, from above.
/** @type {(places: ArrayLike<number>, lower: ArrayLike<number>, upper: ArrayLike<number>) => string} */
export function outlineOf(places, lower, upper) {
  const bins = upper.length;
  const parts = [topOf(places, upper), `V${lower[bins - 1]}`];
  for (let bin = bins - 1; bin > 0; bin -= 1) {
    if (lower[bin] !== lower[bin - 1]) parts.push(`H${places[bin]}V${lower[bin - 1]}`);
  }
  return `${parts.join("")}H${places[0]}Z`;
}

// The line itself, without what is below it.
/** @type {(places: ArrayLike<number>, upper: ArrayLike<number>) => string} */
export function topOf(places, upper) {
  const parts = [`M${places[0]} ${upper[0]}`];
  for (let bin = 1; bin < upper.length; bin += 1) {
    if (upper[bin] !== upper[bin - 1]) parts.push(`H${places[bin]}V${upper[bin]}`);
  }
  return `${parts.join("")}H${places[upper.length]}`;
}

// The areas as paths, the lowest first: {area, outline, top}, where `top` is "" but for one with an edge. `most` is
// what the height of the drawing stands for.
/**
 * @type {(
 *   areas: Area[], places: ArrayLike<number>, most: number
 * ) => { area: Area, outline: string, top: string }[]}
 */
export function stacked(areas, places, most) {
  const bins = places.length - 1;
  const sum = new Float64Array(bins);
  let lower = new Float64Array(bins).fill(SHEET_HEIGHT);
  return areas.map((area) => {
    const upper = new Float64Array(bins);
    for (let bin = 0; bin < bins; bin += 1) {
      sum[bin] += area.y[bin];
      upper[bin] = heightOf(sum[bin], most);
    }
    const outline = outlineOf(places, lower, upper);
    lower = upper;
    return { area, outline, top: area.edge ? topOf(places, upper) : "" };
  });
}

// A line of steps, with gaps where there is no value.
/** @type {(places: ArrayLike<number>, values: (number | null)[], most: number) => string} */
export function stepsOf(places, values, most) {
  const parts = [];
  let isOn = false;
  for (let bin = 0; bin < values.length; bin += 1) {
    const value = values[bin];
    const isStep = isOn && value !== null && value === values[bin - 1];
    if (value !== null && !isStep) {
      parts.push(isOn ? `V${heightOf(value, most)}` : `M${places[bin]} ${heightOf(value, most)}`);
    }
    if (value !== null) parts.push(`H${places[bin + 1]}`);
    isOn = value !== null;
  }
  return parts.join("");
}

/** @type {(value: number, most: number) => number} */
function heightOf(value, most) {
  return Math.round(10 * SHEET_HEIGHT * (1 - value / most)) / 10;
}

// Draws the areas and lines of a chart, in the place of those that it had.
/** @type {(place: HTMLElement, figure: Figure) => void} */
export function drawAreas(place, { areas, lines, places, most, span, margin }) {
  const sheet = sheetOf(place);
  Object.assign(sheet.style, {
    left: `${margin.l}px`,
    top: `${margin.t}px`,
    width: `calc(100% - ${margin.l + margin.r}px)`,
    height: `calc(100% - ${margin.t + margin.b}px)`,
  });
  showSpan(place, span);
  const paths = stacked(areas, places, most).flatMap(({ area, outline, top }) => {
    const path = drawing("path", { class: "area", d: outline, "data-id": area.id, fill: area.colour });
    if (!top) return [path];
    return [path, drawing("path", { class: "edge", d: top, fill: "none", stroke: area.edge ?? "" })];
  });
  const above = lines.map(({ kind, colour, y }) =>
    drawing("path", { class: kind, d: stepsOf(places, y, most), fill: "none", stroke: colour }),
  );
  sheet.replaceChildren(...paths, ...above);
  Object.assign(drawnIn(place), { areas, lines });
}

// No areas stand where there is no chart.
/** @type {(place: HTMLElement) => void} */
export function leaveAreasOut(place) {
  place.querySelector("svg.areas")?.remove();
  Object.assign(drawnIn(place), { areas: [], lines: [] });
}

// Another stretch of the axis, in seconds, as the reader drags it.
/** @type {(place: HTMLElement, span: Span) => void} */
export function showSpan(place, { from, to }) {
  place.querySelector("svg.areas")?.setAttribute("viewBox", `${from} 0 ${to - from} ${SHEET_HEIGHT}`);
}

/** @type {(place: HTMLElement) => SVGElement} */
function sheetOf(place) {
  const known = place.querySelector("svg.areas");
  if (known instanceof SVGElement) return known;
  const made = drawing("svg", { class: "areas", preserveAspectRatio: "none", "aria-hidden": "true" });
  place.prepend(made);
  return made;
}

// As Plotly leaves its traces at the element, so that what is drawn can be looked at.
/** @type {(place: HTMLElement) => { areas?: Area[], lines?: ChartLine[] }} */
function drawnIn(place) {
  return /** @type {any} */ (place);
}
