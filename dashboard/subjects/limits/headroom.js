// How much is in use now, and of how much.

import { element } from "../../common/dom.js";
import { amount, percent, shownName } from "../../common/format.js";
import { limitOf, own, usedOf } from "../../common/report.js";
import { isTracked, nameOf, picturedOf, unitOf } from "../../common/resources.js";
import { typesNow } from "./types_now.js";

const FULL = 0.95;
const HIGH = 0.75;
const RESIDUE = 1e-6; // what sums of floats, and the digits of the JSON, leave of a difference that is none

/** @type {(data: First) => HTMLElement[]} */
export function headroomOf(data) {
  return picturedOf(data).map((key) => element("div", { class: "gauge", "data-key": key }, gaugeOf(data, key)));
}

/** @type {(data: First, key: string) => Child[]} */
function gaugeOf(data, key) {
  const heading = element("h3", {}, nameOf(data, key));
  if (!isTracked(data, key)) {
    return [
      heading,
      element("p", { class: "figure" }, "–"),
      element("p", { class: "detail" }, "not tracked on this cluster"),
    ];
  }
  const held = own(data.now.total, key, 0);
  const used = usedOf(data, key);
  const limit = limitOf(data, key);
  const unit = unitOf(data, key).unit;
  const of = limit.kind === "limit" && used !== null ? ` of ${amount(limit.value)} ${unit}` : ` ${unit}`;
  const figure = element("p", { class: "figure" }, [element("strong", {}, amount(used ?? held)), of]);
  const texts = headroomTexts(held, used, limit).map((text) => element("p", { class: "detail" }, text));
  return [heading, figure, barOf(nameOf(data, key), used, limit), ...texts, typesOf(data, key)];
}

// What stands below the figure.
/** @type {(held: number, used: number | null, limit: Limit) => string[]} */
export function headroomTexts(held, used, limit) {
  const suspended = (used ?? held) - held;
  return [
    headroomText(used, limit),
    ...(suspended > RESIDUE ? [`${amount(suspended)} of them of suspended jobs`] : []),
    ...sourceOf(limit),
  ];
}

// No limit, a limit of 0 and a limit that is not known are three things.
/** @type {(used: number | null, limit: Limit) => string} */
function headroomText(used, limit) {
  if (limit.kind === "none") return "no limit";
  if (limit.kind === "unknown") return "limit not known";
  if (limit.value === 0) return "limit 0: none may be used";
  if (used === null) return `limit ${amount(limit.value)}, shared with other QoS: free is not known`;
  const free = limit.value - used;
  return `${percent(used, limit.value)} in use, ${free >= 0 ? `${amount(free)} free` : `${amount(-free)} over`}`;
}

/** @type {(name: string, used: number | null, limit: Limit) => HTMLElement} */
function barOf(name, used, limit) {
  if (limit.kind !== "limit" || limit.value === 0 || used === null) {
    const kind = limit.value === 0 ? "shut" : used === null ? "unknown" : limit.kind;
    return element("div", { class: `bar ${kind}`, "aria-hidden": "true" }); // the text below says which
  }
  const share = Math.min(1, used / limit.value);
  const filled = element("span", { class: share >= FULL ? "full" : share >= HIGH ? "high" : "free" });
  filled.style.width = `${100 * share}%`;
  const range = {
    "aria-valuemin": "0",
    "aria-valuemax": String(limit.value),
    "aria-valuenow": String(Math.min(used, limit.value)),
  };
  const text = { "aria-label": `${name} in use`, "aria-valuetext": `${amount(used)} of ${amount(limit.value)}` };
  return element("div", { class: "bar", role: "meter", ...text, ...range }, filled);
}

/** @type {(data: First, key: string) => HTMLElement | null} */
function typesOf(data, key) {
  const types = typesNow(data, key);
  const name = nameOf(data, key);
  return types.length
    ? element(
        "ul",
        { class: "types", "aria-label": `${name} by type` },
        types.map((type) => typeLine(name, type)),
      )
    : null;
}

// One type of a resource, such as GPUs: beside its own limit, if it has one, that of all of the resource holds.
/** @type {(resource: string, type: TypeNow) => HTMLElement} */
function typeLine(resource, { type, count, used, limit }) {
  const name = shownName(type);
  const figure = element("span", {}, `${amount(used ?? count)}${typeText(used, limit)}`);
  const words = element("p", {}, [element("bdi", { title: name }, name), " ", figure]);
  return element("li", {}, [words, limit.kind === "limit" ? barOf(`${resource} ${name}`, used, limit) : null]);
}

/** @type {(used: number | null, limit: Limit) => string} */
function typeText(used, limit) {
  if (limit.kind === "none") return ", no limit of its own";
  if (limit.kind === "unknown") return ", limit not known";
  return limit.value === 0
    ? ", limit 0: none may be used"
    : used === null
      ? `, limit ${amount(limit.value)}, shared with other QoS`
      : ` of ${amount(limit.value)}`;
}

/** @type {(limit: Limit) => string[]} */
function sourceOf(limit) {
  return limit.source === "configuration" ? ["limit set by the configuration"] : [];
}
