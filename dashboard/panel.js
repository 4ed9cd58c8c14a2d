// The parts of a QoS's panel that are not charts: notes, headroom, tables.

import { element, fill } from "./dom.js";
import { binName, timeOfDay, visible } from "./format.js";
import { headroomOf } from "./headroom.js";
import { showGrid, tableState } from "./grid.js";
import { heatState, showHeat } from "./heatmap.js";
import { nowSheet, totalsSheet } from "./tables.js";

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
  showGrid(panel.querySelector(".now"), now);
  showGrid(panel.querySelector(".totals"), totals);
  showHeat(panel.querySelector(".heat"), scene);
  tablesOf.set(panel, stampOf(scene));
}

// Tables tell of the range, in the colours of those who have areas.
function stampOf({ data, range, zone, layers }) {
  return JSON.stringify([data.metadata.last_updated_epoch, data.staleness, range, zone, layers.map((layer) => layer.id), tableState(), heatState()]);
}

function aboutCharts({ data, zone }) {
  const { last_updated_epoch: updated, time_resolution_seconds: seconds } = data.metadata;
  const bin = binName(seconds);
  return `Means of each ${bin}. The last one, since ${timeOfDay(data.edges.at(-2), zone)}, is not over (shaded): mean up to ${timeOfDay(updated, zone)}.`;
}
