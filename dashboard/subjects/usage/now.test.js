import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { readReport } from "../../common/report.js";
import { nowRows, totalRows } from "./now.js";

const golden = (name) => readFileSync(new URL(`../../../tests/data/golden/${name}`, import.meta.url), "utf8");
const dataOf = () => readReport(golden("data_avery.json")).data;

test("who holds the largest share of anything comes first, who holds nothing not at all", () => {
  const data = dataOf();
  assert.deepEqual(
    nowRows(data).map((one) => one.user),
    ["alice", "bob"],
  );
  const held =
    '{"b": {"NCPUS": 1, "NJOBS": 1}, "a": {"NCPUS": 1, "NJOBS": 1}, "__proto__": {"NCPUS": 15, "NGPUS": 2}, "zero": {"NCPUS": 0}}';
  data.now.users = JSON.parse(held);
  assert.deepEqual(
    nowRows(data).map((one) => one.user),
    ["__proto__", "a", "b"],
  );
});

test("the totals have a row for every user in the file's order", () => {
  const data = dataOf();
  const rows = totalRows(data);
  assert.deepEqual(
    rows.map((one) => one.user),
    data.users,
  );
  assert.deepEqual(rows[0].hours, data.totals.users.alice.hours);
});
