// A limit as it was over time.

import { wholeOf } from "../common/range.js";
import { limitOf } from "../common/report.js";

// The stretches of a range in which a limit stayed the same: [{from, to, value}] in order of time, those without a
// limit, or with one that is not known, left out. Data that tell no history have had their limit of now all the time.
/** @type {(data: Data, key: string, range: Span | null) => LimitStep[]} */
export function limitSteps(data, key, range) {
  const { from, to } = range ?? wholeOf(data);
  const limit = limitOf(data, key);
  /** @type {LimitHistory} */
  const history =
    Array.isArray(limit.history) && limit.history.length ? limit.history : [{ ...limit, from: wholeOf(data).from }];
  return history.flatMap(({ from: begin, kind, value }, place) => {
    const span = { from: Math.max(from, begin), to: Math.min(to, history[place + 1]?.from ?? to) };
    return kind === "limit" && value !== null && span.from < span.to ? [{ ...span, value }] : [];
  });
}

// The highest limit in a range, or 0.
/** @type {(steps: LimitStep[]) => number} */
export function highestLimit(steps) {
  return steps.reduce((most, step) => Math.max(most, step.value), 0);
}
