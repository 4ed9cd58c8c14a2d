import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { totalsTable } from "./usage_tables.js";

const data = JSON.parse(readFileSync(new URL("../../../tests/data/golden/data_avery.json", import.meta.url), "utf8"));
const end = data.metadata.last_updated_epoch;
const tableOf = (range, outside = false) => totalsTable({ data, stack: [], range, outside, zone: "UTC" });

test("totals say from when to when: from the first bin that the range touches to the end of its last", () => {
  assert.equal(tableOf(null).span, "Sat, Oct 31, 18:00 UTC to Sun, Nov 1, 19:10 UTC");
  assert.equal(tableOf({ from: end - 6 * 3600, to: end }).span, "Sun, Nov 1, 13:00 UTC to Sun, Nov 1, 19:10 UTC");
  const cut = { from: data.edges[3] + 2220, to: data.edges[5] + 2220 };
  assert.equal(tableOf(cut).span, "Sat, Oct 31, 21:00 UTC to Sun, Nov 1, 00:00 UTC");
  assert.equal(tableOf({ from: end, to: end }, true).span, null);
});
