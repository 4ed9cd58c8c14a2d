import assert from "node:assert/strict";
import { test } from "node:test";

import { exportName, monthExportName } from "./export_name.js";

const NOON = Date.parse("2026-11-20T17:00Z") / 1000;
const named = (qos) => /** @type {any} */ ({ metadata: { qos } });

test("a file is called after its table, QoS and time, on the clock that is shown", () => {
  const name = exportName("usage-totals", named("avery"), "US/Eastern", NOON, NOON + 7 * 86400);
  assert.equal(name, "usage-totals_avery_2026-11-20T1200-2026-11-27T1200.csv");
  assert.equal(exportName("usage-now", named("avery"), "UTC", NOON), "usage-now_avery_2026-11-20T1700.csv");
  assert.equal(monthExportName("month-users", named("avery"), "2026-11"), "month-users_avery_2026-11.csv");
});

test("no name from outside makes a path, a hidden file or a long name of it", () => {
  for (const qos of ["../../etc/passwd", "a\\b:c", "\u202egnp", "a\nb", "..", "ü <b>", "x".repeat(5000), ""]) {
    const name = exportName("usage-now", named(qos), "UTC", NOON);
    assert.match(name, /^usage-now_[\w.-]{0,60}_2026-11-20T1700\.csv$/);
    assert.ok(!name.includes(".."), name);
  }
});
