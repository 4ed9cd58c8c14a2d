import assert from "node:assert/strict";
import { test } from "node:test";
import { firstReason } from "./queue_glance.js";

const row = (reason, group, jobs) => ({ reason, group, jobs });
const dataOf = (...reasons) => ({ queue: { reasons } });

test("the reason of most jobs that compete comes first, whatever is held", () => {
  const told = firstReason(
    dataOf(row("JobHeldUser", "held", 99), row("Priority", "competing", 2), row("QOSGrpCpuLimit", "competing", 7)),
  );
  assert.deepEqual([told.first.reason, told.others], ["QOSGrpCpuLimit", 2]);
});

test("where nothing competes the largest of the others is told, and of nothing there is nothing", () => {
  assert.equal(firstReason(dataOf(row("a", "held", 1), row("b", "dependency", 3))).first.reason, "b");
  assert.deepEqual(firstReason(dataOf()), { first: null, others: 0 });
  assert.deepEqual(firstReason({}), { first: null, others: 0 });
});
