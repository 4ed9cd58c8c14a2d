// Which resources the data tell of, and what they are called: all of it is read from the data, which say it in a list
// of resources. A resource that is pictured has a chart of its own, and so has what waiting jobs want of some.

import { counted } from "./format.js";
import { remembered } from "./remembered.js";
import { own } from "./report.js";

const WANTED = "WANTED:"; // before a resource's key: the chart of what waiting jobs want of it
/** @type {WeakMap<First, Resource[]>} */
const tables = new WeakMap(); // data -> its resources

// The resources in the order in which they are shown: [{key, name, title, unit, one, hours, pictured}]. `title` is the
// name with the unit where that does not name it, `one` the word for one unit, `pictured` are those with a chart. Data
// of before such a list say the same in other words.
/** @type {(data: First) => Resource[]} */
export function resourcesOf(data) {
  return remembered(tables, data, () => (Array.isArray(data.resources) ? data.resources : olderResources(data)));
}

/** @type {(data: First) => Resource[]} */
function olderResources(data) {
  const pictured = Object.keys(data.nice_names ?? data.observables ?? {});
  const isPart = (/** @type {string} */ key) => key.includes(":"); // one type of a resource
  const others = Object.keys(data.units ?? {}).filter((key) => !pictured.includes(key) && !isPart(key));
  return [...pictured, ...others].map((key) => {
    const { name, unit, hours } = own(data.units, key, { name: key, unit: "", hours: `${key}-hours` });
    const title = name.toLowerCase().includes(unit.toLowerCase()) ? name : `${name} (${unit})`;
    return { key, name, title, unit, one: unit.replace(/s$/, ""), hours, pictured: pictured.includes(key) };
  });
}

// The keys of the resources that have a chart.
/** @type {(data: First) => string[]} */
export function picturedOf(data) {
  return resourcesOf(data)
    .filter((resource) => resource.pictured)
    .map((resource) => resource.key);
}

// The keys of the charts of what waiting jobs want.
/** @type {(data: Data) => string[]} */
export function wantedOf(data) {
  return resourcesOf(data)
    .filter(({ key }) => own(data.waiting, key, null))
    .map(({ key }) => WANTED + key);
}

// The keys of all charts: of what is used, then of what is wanted.
/** @type {(data: Data) => string[]} */
export function chartedOf(data) {
  return [...picturedOf(data), ...wantedOf(data)];
}

/** @type {(key: string) => boolean} */
export function isWanted(key) {
  return key.startsWith(WANTED);
}

// The key of the resource that a chart is of.
/** @type {(key: string) => string} */
export function resourceOf(key) {
  return isWanted(key) ? key.slice(WANTED.length) : key;
}

// The rows by user of a chart.
/** @type {(data: Data, key: string) => Rows} */
export function rowsOf(data, key) {
  if (!isWanted(key)) return own(data.observables, key, {});
  // where nobody looked there is null, which counts as 0
  const waiting = /** @type {Record<string, Rows> | undefined} */ (data.waiting);
  return own(waiting, resourceOf(key), {});
}

// Users of whom anything is known: those of the totals, and then those who have only waited.
/** @type {(data: Data) => string[]} */
export function everyUser(data) {
  const waiting = wantedOf(data).flatMap((key) => Object.keys(rowsOf(data, key)));
  return waiting.length ? [...new Set([...data.users, ...waiting])] : data.users;
}

/** @type {(data: First, key: string) => boolean} */
export function isTracked(data, key) {
  return !data.untracked.includes(resourceOf(key));
}

// The resources with a chart that are tracked on this cluster: what tables tell of.
/** @type {(data: First) => string[]} */
export function trackedOf(data) {
  return picturedOf(data).filter((key) => isTracked(data, key));
}

// Those of them that jobs ask for, as CPUs and memory; data of before it was told tell of all.
/** @type {(data: First) => string[]} */
export function askedOf(data) {
  const asked = resourcesOf(data).filter((resource) => resource.wanted ?? true);
  return trackedOf(data).filter((key) => asked.some((resource) => resource.key === key));
}

/** @type {(data: First, key: string) => string} */
export function nameOf(data, key) {
  if (isWanted(key)) return `${nameOf(data, resourceOf(key))} that waiting jobs want`;
  return unitOf(data, key).name;
}

// {name, unit, hours} of a resource or of a type of one.
/** @type {(data: First, key: string) => { name: string, unit: string, hours: string }} */
export function unitOf(data, key) {
  const resource = resourceOf(key);
  const unknown = { name: resource, unit: "", hours: `${resource}-hours` };
  return rowOfResource(data, resource) ?? own(data.units, resource, unknown);
}

// What the head of a column says of a resource: with its unit where that is not what the name says.
/** @type {(data: First, key: string) => string} */
export function labelOf(data, key) {
  return rowOfResource(data, key)?.title || nameOf(data, key);
}

// "1 GPU", "8 GPUs", "200 GiB".
/** @type {(data: First, key: string, count: number) => string} */
export function countOf(data, key, count) {
  const { unit } = unitOf(data, key);
  return counted(count, rowOfResource(data, key)?.one || unit, unit);
}

/** @type {(data: First, key: string) => Resource | undefined} */
function rowOfResource(data, key) {
  return resourcesOf(data).find((resource) => resource.key === key);
}
