import assert from "node:assert/strict";
import { test } from "node:test";

import { nearWords } from "./limits_part.js";

test("time near a limit that other QoS fill too is known in part alone", () => {
  assert.deepEqual([nearWords(null, false), nearWords(0, false), nearWords(7200, false)], ["–", "never", "2 h"]);
  assert.deepEqual([nearWords(0, true), nearWords(7200, true)], ["not known", "2 h at least"]);
});
