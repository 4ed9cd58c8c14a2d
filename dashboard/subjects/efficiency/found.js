// What is found of the jobs that ended, how their hours are distributed by efficiency, what to ask for next time, and
// what came to nothing in money; touches no page.

import { amount, counted } from "../../common/format.js";
import { unitOf } from "../../common/resources.js";

/** @type {(place: number) => string} */
export function binWords(place) {
  if (place === 10) return "more than allocated";
  return place > 10 ? "not measured" : `${10 * place}–${10 * place + 10} %`;
}

// Of a resource, a row a bin: {words, hours, jobs, share of the largest}; null where no job held any.
/** @type {(data: Data, key: string) => { words: string, hours: number, jobs: number, share: number }[] | null} */
export function distributionOf(data, key) {
  const found = data.efficiency?.distribution?.resources[key];
  const most = Math.max(...(found?.hours ?? [0]));
  if (!found || !(most > 0)) return null;
  return found.hours.map((hours, place) => ({
    words: binWords(place),
    hours,
    jobs: found.jobs[place],
    share: hours / most,
  }));
}

// What is found in the stretch that fits the range best: the shortest that holds it; null where the data
// tell nothing.
/**
 * @type {(
 *   data: Data, range: Span | null
 * ) => { from: number, to: number, jobs: number, rules: UseFinding[] } | null}
 */
export function findingsIn({ efficiency }, range) {
  const whole = efficiency?.findings;
  if (!whole) return null;
  if (!range) return whole;
  const known = Object.values(whole.ranges).sort((one, other) => one.to - one.from - (other.to - other.from));
  return known.find(({ from }) => from <= range.from) ?? whole;
}

// What is said where nothing is found: no praise where there was nothing to judge by.
/** @type {(data: Data, found: { jobs: number }) => string} */
export function nothingWords({ efficiency }, { jobs }) {
  if (!jobs) return "No job is known that ended in this time.";
  const known = Object.values(efficiency?.distribution?.resources ?? {});
  const isMeasured = known.some(({ hours }) => hours.slice(0, -1).some((some) => some > 0));
  return isMeasured ? "Nothing stands out." : "Nothing stands out; what these jobs used is not measured.";
}

// A rule's hours in its own unit, and what they are; what costs no hours is told as that.
/** @type {(data: Data, one: UseFinding) => string} */
export function costWords(data, one) {
  if (one.resource === null || one.hours === null) return "–";
  return `${amount(one.hours)} ${unitOf(data, one.resource).hours} ${one.killed ? "held" : "unused"}`;
}

// The size of a shape of jobs: "4 CPUs, 1 GPU, 64 GiB, 2 nodes".
/** @type {(shape: UseShape) => string} */
export function sizeWords(shape) {
  const parts = [counted(shape.cpus, "CPU")];
  if (shape.gpus) parts.push(counted(shape.gpus, "GPU"));
  if (shape.memory_gib) parts.push(`${amount(shape.memory_gib)} GiB`);
  if (shape.nodes > 1) parts.push(counted(shape.nodes, "node"));
  return parts.join(", ");
}

// What to write for them.
/** @type {(shape: UseShape) => string} */
export function askWords({ time, memory }) {
  return [time === null ? null : `--time=${time}`, memory === null ? null : `--mem=${memory}`]
    .filter(Boolean)
    .join(" ");
}

// What unused hours of a resource cost, by the site's prices; null where it has none for it.
/** @type {(data: Data, key: string, unused: number | null) => string | null} */
export function priceWords(data, key, unused) {
  const prices = data.efficiency?.prices;
  const plain = key.startsWith("NGPUS") ? "NGPUS" : key;
  if (!prices || unused === null || !(unused > 0)) return null;
  const told = [];
  const price = prices.hour[plain];
  const grams = prices.co2_hour[plain];
  if (price !== undefined) told.push(`${amount(price * unused)} ${prices.currency}`.trim());
  if (grams !== undefined) told.push(`${amount((grams * unused) / 1000)} kg of CO2`);
  return told.length
    ? `The unused ones stand for about ${told.join(" and ")}: an estimate by this site's rates.`
    : null;
}
