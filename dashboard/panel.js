// The parts of a QoS's panel that are not charts: notes, headroom, tables.

import { element, fill } from "./dom.js";
import { binName, timeOfDay, visible } from "./format.js";
import { headroomOf } from "./headroom.js";
import { showGrid, tableState } from "./grid.js";
import { heatState, showHeat } from "./heatmap.js";
import { showPolicy, showPressure } from "./limitspart.js";
import { monthState, showMonths } from "./monthspart.js";
import { showQueue, waitingSheet } from "./queuepart.js";
import { nowSheet, totalsSheet } from "./tables.js";
import { showWaits, waitsSheet } from "./waitspart.js";

const tablesOf = new WeakMap(); // panel -> what its tables show, so that they are only made anew when that changes

// What a new report says of itself. Throws where something in the report is not as it should be; then nothing changed.
export function showReport(panel, scene) {
  const { data } = scene;
  const parts = [headroomOf(data), sheetsOf(scene)];
  fill(panel.querySelector(".notes"), data.notes.map((note) => element("p", {}, visible(note.text))));
  fill(panel.querySelector(".headroom"), parts[0]);
  putSheets(panel, scene, parts[1]);
}

export function showTables(panel, scene) {
  fill(panel.querySelector(".about"), aboutCharts(scene));
  if (tablesOf.get(panel) !== stampOf(scene)) putSheets(panel, scene, sheetsOf(scene));
}

function sheetsOf(scene) {
  return { now: nowSheet(scene), totals: totalsSheet(scene) };
}

function putSheets(panel, scene, { now, totals }) {
  putQueue(panel, scene);
  showGrid(panel.querySelector(".now"), now);
  showGrid(panel.querySelector(".totals"), totals);
  showHeat(panel.querySelector(".heat"), scene);
  showMonths(panel.querySelector(".months"), scene);
  tablesOf.set(panel, stampOf(scene));
}

// Limits and the queue; how long something waits is told as of the answer.
function putQueue(panel, scene) {
  const { data } = scene;
  const at = data.queue?.at ?? data.metadata.last_updated_epoch;
  showQueue(panel.querySelector(".queue"), scene, at);
  showGrid(panel.querySelector(".waiting"), waitingSheet(scene, at));
  showPressure(panel.querySelector(".pressure"), scene);
  showPolicy(panel.querySelector(".policy"), scene);
  showWaits(panel.querySelector(".waits"), scene);
  showGrid(panel.querySelector(".waits-by-user"), waitsSheet(scene));
}

// Tables tell of the range, in the colours of those who have areas.
function stampOf({ data, range, zone, layers }) {
  return JSON.stringify([data.metadata.last_updated_epoch, data.staleness, range, zone, layers.map((layer) => layer.id), tableState(), heatState(), monthState()]);
}

function aboutCharts({ data, zone }) {
  const { last_updated_epoch: updated, time_resolution_seconds: seconds } = data.metadata;
  const bin = binName(seconds);
  return `Means of each ${bin}. The last one, since ${timeOfDay(data.edges.at(-2), zone)}, is not over (shaded): mean up to ${timeOfDay(updated, zone)}.${data.peaks ? ` The thin line is the highest use within each ${bin}.` : ""}`;
}
