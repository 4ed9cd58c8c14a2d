import assert from "node:assert/strict";
import { test } from "node:test";

import { usedOf } from "../../common/report.js";
import { headroomTexts } from "./headroom.js";
import { typesNow } from "./types_now.js";

const limit = (used, source = "GrpTRES cpu") => ({ kind: "limit", value: 430, source, used });
const dataOf = (limits, total = { NCPUS: 27 }) => ({ now: { total }, limits });

test("beside a limit stands what Slurm counts against it: suspended jobs too", () => {
  assert.equal(usedOf(dataOf({ NCPUS: limit(32) }), "NCPUS"), 32);
  assert.deepEqual(headroomTexts(27, 32, limit(32)), ["7.4 % in use, 398 free", "5 of them of suspended jobs"]);
  assert.deepEqual(headroomTexts(27, 27, limit(27)), ["6.3 % in use, 403 free"]);
});

test("without a limit stands what is held", () => {
  assert.equal(usedOf(dataOf({ NCPUS: { kind: "none", value: null, source: "", used: null } }), "NCPUS"), 27);
  assert.equal(usedOf(dataOf({}), "NCPUS"), 27);
});

test("data of before this was told tell what is held", () => {
  assert.equal(usedOf(dataOf({ NCPUS: { kind: "limit", value: 430, source: "" } }), "NCPUS"), 27);
});

test("where others count too nothing is called free", () => {
  const other = limit(null, "GrpTRES cpu of partition QoS short");
  assert.equal(usedOf(dataOf({ NCPUS: other }), "NCPUS"), null);
  assert.deepEqual(headroomTexts(27, null, other), ["limit 430, shared with other QoS: free is not known"]);
  assert.equal(headroomTexts(0, null, { ...other, value: 0 })[0], "limit 0: none may be used");
});

test("a type stands beside its limit as the whole does", () => {
  const types = typesNow(dataOf({ "NGPUS:a100": limit(3) }, { "NGPUS:a100": 2 }), "NGPUS");
  assert.deepEqual([types[0].count, types[0].used], [2, 3]);
});
