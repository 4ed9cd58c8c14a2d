// A limit as it was over time.

import { wholeOf } from "../shared/range.js";
import { limitOf } from "../shared/report.js";

// The stretches of a range in which a limit stayed the same: [{from, to, value}] in order of time, those without a limit,
// or with one that is not known, left out. Data that tell no history have had their limit of now all the time.
export function limitSteps(data, key, range) {
  const { from, to } = range ?? wholeOf(data);
  const limit = limitOf(data, key);
  const history =
    Array.isArray(limit.history) && limit.history.length ? limit.history : [{ ...limit, from: wholeOf(data).from }];
  return history
    .map((entry, place) => ({
      from: Math.max(from, entry.from),
      to: Math.min(to, history[place + 1]?.from ?? to),
      value: entry.kind === "limit" ? entry.value : null,
    }))
    .filter((step) => step.value !== null && step.from < step.to);
}

// The highest limit in a range, or 0.
export function highestLimit(steps) {
  return steps.reduce((most, step) => Math.max(most, step.value), 0);
}
