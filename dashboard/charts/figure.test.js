import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { plainView } from "../page/view.js";
import { viewModelOf } from "../page/view_model.js";
import { readReport } from "../common/report.js";
import { describe, figureOf, insteadOfChart, linesAt } from "./figure.js";
import { stackOf, totalOf } from "./stack.js";

const PICTURED = ["NCPUS", "NGPUS", "MEMORY", "NJOBS"];
const text = readFileSync(new URL("../../tests/data/golden/data_avery.json", import.meta.url), "utf8");
const wholeData = () => readReport(text).data;
// without what is told beside use: peaks, and what waiting jobs want
const dataOf = () => ({ ...wholeData(), peaks: undefined, waiting: undefined });
const STYLE = {
  text: "#111111",
  quiet: "#666666",
  line: "#dddddd",
  veil: "#ffffffcc",
  font: "sans-serif",
  size: 12,
  coarse: false,
};
const viewModelIn = (data, changes = {}) => viewModelOf(data, plainView(changes), "Europe/Berlin");
const figure = (data, key, changes = {}) => figureOf(viewModelIn(data, changes), key, STYLE);
const sum = (values) => values.reduce((whole, value) => whole + value, 0);

test("an area for every layer that holds something, in steps, and a probe that is not seen", () => {
  const names = { NCPUS: ["alice", "bob", "carol", "others (2 users)"], NGPUS: ["alice", "bob"] };
  for (const [key, wanted] of Object.entries(names)) {
    const { traces, areas } = figure(dataOf(), key);
    assert.deepEqual(
      areas.map((area) => area.name),
      wanted,
    );
    assert.deepEqual(
      traces.map((trace) => [trace.name, trace.opacity]),
      [["total", 0]],
    );
  }
});

test("areas and probe show the numbers of the file, the last bin drawn to its end", () => {
  const data = dataOf();
  for (const key of PICTURED) {
    const { traces, areas, places, span } = figure(data, key);
    const total = totalOf(data, stackOf(data), key);
    for (const area of areas) assert.equal(area.y.length, data.time_idxs.length);
    assert.equal(places.length, data.edges.length);
    assert.deepEqual(span, { from: places[0], to: places.at(-1) });
    assert.deepEqual(traces.at(-1).y, total);
    const drawn = sum(areas.map((area) => sum(area.y)));
    assert.ok(Math.abs(drawn - sum(total)) < 1e-6);
  }
});

test("the axis is the cluster's clock, from the first bin to the end of the data", () => {
  const { layout } = figure(dataOf(), "NCPUS");
  assert.deepEqual(layout.xaxis.range, ["2026-10-31T14:00:00", "2026-11-01T14:10:00"]);
  assert.match(layout.xaxis.title.text, /US\/Eastern/);
});

test("the bin that is not over is shaded", () => {
  const shade = figure(dataOf(), "NCPUS").layout.shapes.find((shape) => shape.type === "rect");
  assert.deepEqual([shade.x0, shade.x1], ["2026-11-01T14:00:00", "2026-11-01T14:10:00"]);
});

test("layers that are left out are neither drawn nor counted", () => {
  const data = dataOf();
  const some = stackOf(data).filter((layer) => ["bob", "carol"].includes(layer.name));
  const { traces, areas } = figure(data, "NCPUS", { only: ["bob", "carol"] });
  assert.deepEqual(
    areas.map((area) => area.name),
    ["bob", "carol"],
  );
  assert.deepEqual(traces.at(-1).y, totalOf(data, some, "NCPUS"));
  assert.equal(figure(data, "NCPUS", { hidden: stackOf(data).map((layer) => layer.id) }).areas.length, 0);
});

test("a limit is a line with its number, and the axis reaches it", () => {
  const data = dataOf();
  delete data.limits.NCPUS.history;
  const { layout } = figure(data, "NCPUS");
  const line = layout.shapes.find((shape) => shape.name === "limit");
  assert.equal(line.path, "M2026-10-31_14:00:00,430L2026-11-01_14:10:00,430");
  assert.equal(layout.annotations[0].text, "limit 430 CPUs");
  assert.ok(layout.yaxis.range[1] > 430);
});

test("no limit and one that is not known have no line; a limit of 0 has", () => {
  const data = dataOf();
  data.limits.NJOBS = { kind: "none", value: null, source: "" };
  assert.equal(figure(data, "NJOBS").layout.annotations.length, 0);
  data.limits.NJOBS = { kind: "unknown", value: null, source: "" };
  assert.equal(figure(data, "NJOBS").layout.annotations.length, 0);
  data.limits.NJOBS = { kind: "limit", value: 0, source: "GrpJobs" };
  assert.equal(figure(data, "NJOBS").layout.annotations[0].text, "limit 0 jobs");
});

test("the axis of a chart with nothing in it has a height", () => {
  const data = dataOf();
  data.limits = {};
  assert.deepEqual(figure({ ...data, users: [] }, "NCPUS").layout.yaxis.range, [0, 1]);
});

test("a limit that changed is a line with steps, and each long stretch has its number", () => {
  const data = dataOf();
  const [start, hour] = [data.edges[0], 3600];
  const history = [
    [start, "limit", 400],
    [start + 10 * hour, "limit", 300],
    [start + 12 * hour, "none", null],
    [start + 20 * hour, "limit", 430],
  ];
  data.limits.NCPUS.history = history.map(([from, kind, value]) => ({ from, kind, value, source: "" }));
  const { layout } = figure(data, "NCPUS");
  const path =
    "M2026-10-31_14:00:00,400L2026-11-01_00:00:00,400L2026-11-01_00:00:00,300L2026-11-01_01:30:00,300M2026-11-01_09:00:00,430L2026-11-01_14:10:00,430";
  assert.equal(layout.shapes.find((shape) => shape.name === "limit").path, path);
  assert.deepEqual(
    layout.annotations.map((label) => [label.text, label.xanchor]),
    [
      ["limit 400 CPUs", "left"],
      ["limit 430 CPUs", "right"],
    ],
  );
  const late = figure(data, "NCPUS", { range: "6h" }).layout;
  assert.deepEqual(
    late.annotations.map((label) => [label.text, label.x]),
    [["limit 430 CPUs", "2026-11-01T09:00:00"]],
  );
});

test("a range is what the axes show, and bins as far again around it are there", () => {
  const data = dataOf();
  delete data.limits.NCPUS;
  const peaks = { ...data, peaks: { NCPUS: totalOf(data, stackOf(data), "NCPUS") } };
  const { layout, traces, areas, lines, places, span, first } = figure(peaks, "NCPUS", { range: "6h" });
  assert.deepEqual(layout.xaxis.range, ["2026-11-01T08:10:00", "2026-11-01T14:10:00"]);
  assert.equal(first, 13); // 02:10 EST lies in the bin from 02:00, the 13th after the hour that came twice
  const bins = data.time_idxs.length - first;
  assert.deepEqual([places.length, areas[0].y.length, lines[0].y.length], [bins + 1, bins, bins]);
  assert.equal(places.at(-1), span.to);
  assert.equal(span.to - span.from, 6 * 3600);
  const total = totalOf(data, stackOf(data), "NCPUS");
  assert.deepEqual(traces.at(-1).y.slice(6), total.slice(first + 6)); // before the range, those of its users alone
  assert.ok(Math.abs(layout.yaxis.range[1] - 1.14 * Math.max(...total.slice(19))) < 1e-9);
  assert.ok(Math.max(...total.slice(19)) < Math.max(...total));
});

test("the reader's own clock", () => {
  const { layout } = figure(dataOf(), "NCPUS", { zone: "mine" });
  assert.deepEqual(layout.xaxis.range, ["2026-10-31T19:00:00", "2026-11-01T20:10:00"]);
  assert.match(layout.xaxis.title.text, /Europe\/Berlin/);
  assert.equal(linesAt(viewModelIn(dataOf(), { zone: "mine" }), "NCPUS", 0).when, "Sat, Oct 31, 19:00 GMT+1 – 20:00");
});

test("no name reaches Plotly, which would read it as markup", () => {
  const data = dataOf();
  data.users = ["<b>%{y}", "__proto__"];
  data.observables.NCPUS = JSON.parse('{"<b>%{y}": [1], "__proto__": [2]}');
  const { traces, layout, areas } = figure(data, "NCPUS");
  assert.deepEqual(
    areas.map((area) => area.name),
    ["<b>%{y}", "__proto__"],
  );
  assert.doesNotMatch(JSON.stringify([traces, layout]), /%\{y|__proto__/);
});

test("a year in steps of five minutes is not too much", () => {
  const data = dataOf();
  const bins = 366 * 288;
  data.users = ["alice"];
  data.edges = Array.from({ length: bins + 1 }, (_, place) => 300 * place);
  data.time_idxs = data.edges.slice(0, -1).map((edge) => new Date(edge * 1000).toISOString());
  data.metadata = { ...data.metadata, last_updated_epoch: data.edges[bins], time_resolution_seconds: 300 };
  for (const key of PICTURED) data.observables[key] = { alice: new Array(bins).fill(500) };
  assert.equal(figure(data, "NCPUS").areas[0].y.length, bins);
  assert.match(describe(viewModelIn(data), "NCPUS"), /highest mean 500/);
});

test("the card of a bin tells its time, its total and who held what, the most first", () => {
  const data = dataOf();
  const told = linesAt(viewModelIn(data), "NCPUS", 0);
  assert.equal(told.when, "Sat, Oct 31, 14:00 EDT – 15:00");
  assert.equal(told.total, 29);
  assert.deepEqual(
    told.lines.map((line) => [line.name, line.value]),
    [
      ["alice", 20],
      ["bob", 8],
      ["carol", 1],
    ],
  );
  assert.equal(linesAt(viewModelIn(data), "NCPUS", 25).when, "Sun, Nov 1, 14:00 EST – 14:10, not over");
});

test("a card of many tells the rest as one line, and its lines add up", () => {
  const data = dataOf();
  data.users = Array.from({ length: 15 }, (_, place) => `user${place}`);
  data.observables.NCPUS = Object.fromEntries(data.users.map((user, place) => [user, [place + 1]]));
  data.metadata.top_users = 12;
  const told = linesAt(viewModelIn(data), "NCPUS", 0);
  assert.equal(told.total, 120);
  assert.equal(sum(told.lines.map((line) => line.value)), 120);
  assert.match(told.lines.at(-1).name, /^and \d+ more$/);
});

test("the chart in words", () => {
  const data = dataOf();
  assert.equal(describe(viewModelIn(data), "NCPUS"), "CPUs over time by user: now 17, highest mean 29, limit 430");
  assert.equal(describe(viewModelIn(data), "NJOBS"), "Running jobs over time by user: now 2, highest mean 4");
});

test("a word instead of a chart with nothing in it", () => {
  const data = dataOf();
  assert.equal(insteadOfChart(viewModelIn(data), "NGPUS"), "");
  data.observables.NGPUS = {};
  assert.equal(insteadOfChart(viewModelIn(data), "NGPUS"), "no GPUs in use in this window");
  assert.equal(insteadOfChart(viewModelIn({ ...data, users: [] }), "NCPUS"), "no jobs in this window");
  assert.equal(insteadOfChart(viewModelIn({ ...data, users: [] }, { range: "6h" }), "NCPUS"), "no jobs in this range");
  assert.match(
    insteadOfChart(viewModelIn(data, { from: 5, to: 9 }), "NCPUS"),
    /^no data of this time: they go from Sat, Oct 31, 14:00 EDT to Sun, Nov 1, 14:10 EST$/,
  );
  data.untracked = ["NGPUS"];
  assert.equal(insteadOfChart(viewModelIn(data), "NGPUS"), "GPUs are not tracked on this cluster");
  assert.equal(describe(viewModelIn(data), "NGPUS"), "GPUs: GPUs are not tracked on this cluster");
});

test("the highest use within each bin is a thin line, where all are shown", () => {
  const data = wholeData();
  const [peak] = figure(data, "NCPUS").lines;
  assert.deepEqual([peak.name, peak.y], ["highest", data.peaks.NCPUS]);
  assert.deepEqual(figure(data, "NCPUS", { only: ["alice"] }).lines, []);
  assert.equal(linesAt(viewModelIn(data), "NCPUS", 0).peak, data.peaks.NCPUS[0]);
});

test("what waiting jobs want, and a word where nobody looked", () => {
  const data = wholeData();
  assert.equal(insteadOfChart(viewModelIn(data), "WANTED:NCPUS"), "");
  assert.match(
    describe(viewModelIn(data), "WANTED:NCPUS"),
    /^CPUs that waiting jobs want over time by user: now \d+, highest mean /,
  );
  const early = { from: data.edges[0], to: data.edges[3] };
  assert.equal(insteadOfChart(viewModelIn(data, early), "WANTED:NCPUS"), "nobody looked at the queue in this range");
  assert.equal(insteadOfChart(viewModelIn(dataOf()), "WANTED:NCPUS"), "nobody looked at the queue in this window");
});
