import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { axisOf, binAt, epochAt, placeOf, plotlyPlace, plotlyTime } from "./axis.js";

const golden = JSON.parse(readFileSync(new URL("../../tests/data/golden/data_avery.json", import.meta.url), "utf8"));

// Bins of `seconds` whose starts are told as "01:00-04:00" on the first of November 2026.
function night(clocks, seconds) {
  const starts = clocks.map((clock) => `2026-11-01T${clock.slice(0, 5)}:00${clock.slice(5)}`);
  const edges = [...starts.map((start) => Date.parse(start) / 1000)];
  edges.push(edges.at(-1) + seconds);
  return { time_idxs: starts, edges, metadata: { last_updated_epoch: edges.at(-1), zone: "US/Eastern" } };
}

const wallTimes = (data) => axisOf(data).times;
const clocksOf = (data) => wallTimes(data).map((time) => plotlyTime(time).slice(11));

test("one time more than bins, from the first bin to the end of the data", () => {
  const times = axisOf(golden).times.map(plotlyTime);
  assert.equal(times.length, golden.time_idxs.length + 1);
  assert.equal(times[0], "2026-10-31T14:00:00");
  assert.equal(times.at(-2), "2026-11-01T14:00:00");
  assert.equal(times.at(-1), "2026-11-01T14:10:00");
});

test("when the clocks go back, the hour that comes twice is shared", () => {
  const data = night(["00:00-04:00", "01:00-04:00", "01:00-05:00", "02:00-05:00"], 3600);
  assert.deepEqual(clocksOf(data), ["00:00:00", "01:00:00", "01:30:00", "02:00:00", "03:00:00"]);
});

test("so are bins of half an hour", () => {
  const data = night(["00:30-04:00", "01:00-04:00", "01:30-04:00", "01:00-05:00", "01:30-05:00", "02:00-05:00"], 1800);
  assert.deepEqual(clocksOf(data), [
    "00:30:00",
    "01:00:00",
    "01:15:00",
    "01:30:00",
    "01:45:00",
    "02:00:00",
    "02:30:00",
  ]);
});

test("bins longer than the change lie where they are", () => {
  const data = night(["00:00-04:00", "06:00-05:00", "12:00-05:00"], 21600);
  assert.deepEqual(clocksOf(data), ["00:00:00", "06:00:00", "12:00:00", "18:00:00"]);
});

test("data that end within the hour that comes twice", () => {
  for (const clocks of [
    ["00:00-04:00", "01:00-04:00", "01:00-05:00"],
    ["00:30-04:00", "01:00-04:00", "01:30-04:00", "01:00-05:00"],
  ]) {
    for (const passed of [60, 1740]) {
      const data = night(clocks, 1800);
      data.metadata.last_updated_epoch = data.edges.at(-2) + passed;
      const times = wallTimes(data);
      assert.equal(times.length, clocks.length + 1);
      assert.ok(
        times.every((time, place) => place === 0 || time > times[place - 1]),
        `${clocks} ${passed}: ${clocksOf(data)}`,
      );
    }
  }
});

test("data that begin within it", () => {
  const times = wallTimes(night(["01:30-04:00", "01:00-05:00", "01:30-05:00", "02:00-05:00"], 1800));
  assert.ok(
    times.every((time, place) => place === 0 || time > times[place - 1]),
    times.map(plotlyTime).join(),
  );
});

test("when the clocks go forward, the gap stays", () => {
  const starts = ["2026-03-08T01:00:00-05:00", "2026-03-08T03:00:00-04:00"];
  const edges = [...starts.map((start) => Date.parse(start) / 1000), Date.parse("2026-03-08T04:00:00-04:00") / 1000];
  const data = { time_idxs: starts, edges, metadata: { last_updated_epoch: edges[2], zone: "US/Eastern" } };
  assert.deepEqual(clocksOf(data), ["01:00:00", "03:00:00", "04:00:00"]);
});

test("another zone's clock, with its own changes", () => {
  const berlin = axisOf(golden, "Europe/Berlin").times.map(plotlyTime);
  assert.equal(berlin[0], "2026-10-31T19:00:00");
  assert.equal(berlin.at(-1), "2026-11-01T20:10:00");
  const changes = Array.from({ length: 8 }, (_, hour) => Date.parse("2026-10-24T22:00:00Z") / 1000 + 3600 * hour);
  const data = { edges: changes, time_idxs: [], metadata: { zone: "US/Eastern", last_updated_epoch: changes.at(-1) } };
  const clocks = ["00:00", "01:00", "02:00", "02:30", "03:00", "04:00", "05:00", "06:00"];
  assert.deepEqual(
    axisOf(data, "Europe/Berlin").times.map((time) => plotlyTime(time).slice(11, 16)),
    clocks,
  );
});

test("the browser's clock agrees with the file's", () => {
  assert.deepEqual(axisOf(golden, "America/New_York").times, axisOf(golden).times);
});

test("each time has a place, and each place its time", () => {
  for (const zone of ["US/Eastern", "Europe/Berlin"]) {
    const axis = axisOf(golden, zone);
    axis.edges.forEach((edge, place) => assert.equal(placeOf(axis, edge), axis.times[place]));
    for (let epoch = axis.edges[0] - 7200; epoch < axis.edges.at(-1) + 7200; epoch += 700) {
      assert.ok(Math.abs(epochAt(axis, placeOf(axis, epoch)) - epoch) < 1e-3);
    }
  }
});

test("which bin a time is in", () => {
  assert.deepEqual(
    [9, 10, 19, 20, 29, 30, 31].map((epoch) => binAt([10, 20, 30], epoch)),
    [-1, 0, 0, 1, 1, 2, 2],
  );
});

test("times as Plotly tells them", () => {
  const told = [
    "2026-11-20",
    "2026-11-20 14:10",
    "2026-11-20 14:10:05",
    "2026-11-20 14:10:05.1234",
    "2026-11-20T14:10:05",
  ];
  const wanted = ["T00:00:00", "T14:10:00", "T14:10:05", "T14:10:05", "T14:10:05"];
  assert.deepEqual(
    told.map((text) => plotlyTime(plotlyPlace(text))),
    wanted.map((time) => `2026-11-20${time}`),
  );
});
