// The parts of a QoS's panel that are not charts: notes, headroom, tables.

import { element, fill } from "./dom.js";
import { binName, timeOfDay, visible, zoned } from "./format.js";
import { headroomOf } from "./headroom.js";
import { nowTable, totalsTable } from "./tables.js";

const tablesOf = new WeakMap(); // panel -> what its tables show, so that they are only made anew when that changes

// What a new report says of itself. Throws where something in the report is not as it should be; then nothing changed.
export function showReport(panel, scene) {
  const { data } = scene;
  const parts = [headroomOf(data), tableParts(scene)];
  fill(panel.querySelector(".notes"), data.notes.map((note) => element("p", {}, visible(note.text))));
  renew(panel.querySelector(".headroom"), parts[0]);
  putTables(panel, scene, parts[1]);
}

export function showTables(panel, scene) {
  fill(panel.querySelector(".about"), aboutCharts(scene));
  if (tablesOf.get(panel) !== stampOf(scene)) putTables(panel, scene, tableParts(scene));
}

function tableParts({ data, layers, range, zone }) {
  const report = { data, layers, zone };
  return { now: nowTable(report), totals: totalsTable(report, range) };
}

function putTables(panel, scene, { now, totals }) {
  renew(panel.querySelector(".now"), now);
  renew(panel.querySelector(".totals"), totals);
  panel.querySelector(".totals h3").append(element("small", {}, spanOf(scene)));
  tablesOf.set(panel, stampOf(scene));
}

// Tables tell of the range, in the colours of those who have areas.
function stampOf({ data, range, zone, layers }) {
  return JSON.stringify([data.metadata.last_updated_epoch, data.staleness, range, zone, layers.map((layer) => layer.id)]);
}

// New children; a table in them is scrolled, and has the focus, as the one before.
function renew(place, made) {
  const before = place.querySelector(".scroll");
  const [left, top, focused] = [before?.scrollLeft, before?.scrollTop, before && before === document.activeElement];
  fill(place, made);
  const now = place.querySelector(".scroll");
  if (!before || !now) return;
  now.scrollTo({ left, top, behavior: "instant" });
  if (focused) now.focus({ preventScroll: true });
}

function aboutCharts({ data, zone }) {
  const { last_updated_epoch: updated, time_resolution_seconds: seconds } = data.metadata;
  const bin = binName(seconds);
  return `Means of each ${bin}. The last one, since ${timeOfDay(data.edges.at(-2), zone)}, is not over (shaded): mean up to ${timeOfDay(updated, zone)}.`;
}

function spanOf({ data, zone }) {
  const [from, to] = [data.totals.from, data.totals.to].map((epoch) => zoned(epoch, zone));
  return ` ${from} to ${to}`;
}
