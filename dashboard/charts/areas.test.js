import assert from "node:assert/strict";
import { test } from "node:test";
import { outlineOf, stacked, stepsOf, topOf } from "./areas.js";

const PLACES = [0, 10, 20, 25];

// What is below a step line at the middle of each bin, as the path says it.
const heightsOf = (path, places) => {
  const steps = [...path.matchAll(/([MHV])([\d.]+)(?: ([\d.]+))?/g)];
  let [x, y] = [0, 0];
  const tops = new Map();
  for (const [, kind, one, other] of steps) {
    if (kind === "M") [x, y] = [Number(one), Number(other)];
    else if (kind === "V") y = Number(one);
    else {
      const to = Number(one);
      places.slice(0, -1).forEach((place, bin) => {
        const middle = (place + places[bin + 1]) / 2;
        if (middle > Math.min(x, to) && middle < Math.max(x, to)) {
          tops.set(bin, [...(tops.get(bin) ?? []), y]);
        }
      });
      x = to;
    }
  }
  return places.slice(1).map((_, bin) => tops.get(bin));
};

test("an outline goes along the upper line and back along the lower one", () => {
  assert.equal(outlineOf(PLACES, [1000, 1000, 1000], [400, 400, 700]), "M0 400H20V700H25V1000H0Z");
  assert.equal(outlineOf(PLACES, [900, 800, 800], [400, 400, 700]), "M0 400H20V700H25V800H10V900H0Z");
  assert.equal(topOf(PLACES, [400, 400, 700]), "M0 400H20V700H25");
});

test("areas stand on one another, each as high as its values, up to what the height stands for", () => {
  const areas = [
    { id: "a", y: [1, 0, 2], edge: null },
    { id: "b", y: [1, 3, 0], edge: "#111111" },
  ];
  const [one, other] = stacked(areas, PLACES, 4);
  assert.deepEqual(heightsOf(one.outline, PLACES), [
    [750, 1000],
    [1000, 1000],
    [500, 1000],
  ]);
  assert.deepEqual(heightsOf(other.outline, PLACES), [
    [500, 750],
    [250, 1000],
    [500, 500],
  ]);
  assert.deepEqual([one.top, other.top], ["", "M0 500H10V250H20V500H25"]);
});

test("a line has gaps where nothing is known", () => {
  assert.equal(stepsOf([0, 10, 20, 30, 40, 50], [1, 1, null, 0, 2], 4), "M0 750H10H20M30 1000H40V500H50");
  assert.equal(stepsOf([0, 10], [null], 4), "");
});
