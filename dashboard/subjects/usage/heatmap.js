// Use by hour of the week on the page: a table of 7 days by 24 hours for one resource.

import { element, fill } from "../../common/dom.js";
import { amount, counted, percent, zoned } from "../../common/format.js";
import { binsIn } from "../../common/range.js";
import { nameOf, picturedOf, trackedOf, unitOf } from "../../common/resources.js";
import { extremes, heatOf } from "./heat.js";

const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const HEAT_STEPS = 10;
const HEAT_TITLE = "When is it usually free?";
/** @type {WeakMap<HTMLElement, HeatMap>} */
const heatMaps = new WeakMap(); // place -> its parts
/** @type {string | null} */
let wantedHeat = null; // the resource that the reader chose, null for the first
let heatChanged = () => {};

// `told` is called when the reader chose another resource.
/** @type {(told: () => void) => void} */
export function startHeat(told) {
  heatChanged = told;
}

// What the reader chose, as texts by key, without what is plain; and back.
/** @type {() => Texts} */
export function heatState() {
  return wantedHeat === null ? {} : { heat: wantedHeat };
}

/** @type {(texts: Texts, viewModel: ViewModel) => void} */
export function setHeatState({ heat }, { data }) {
  wantedHeat = picturedOf(data).slice(1).includes(heat) ? heat : null;
}

// Shows a viewModel's use by hour of the week in `place`; the resource is the reader's to choose there. Where this QoS
// does not track it the first one is shown, and the choice stays for the others.
/** @type {(place: HTMLElement, viewModel: ViewModel) => void} */
export function showHeat(place, viewModel) {
  const heat = heatMaps.get(place) ?? newHeat(place, viewModel);
  heatMaps.set(place, heat);
  heat.viewModel = viewModel;
  const keys = trackedOf(viewModel.data);
  const known = [...heat.choice.options].map((option) => option.value);
  if (known.join() !== keys.join()) {
    fill(
      heat.choice,
      keys.map((key) => element("option", { value: key }, nameOf(viewModel.data, key))),
    );
  }
  heat.choice.value = keys.find((key) => key === wantedHeat) ?? keys[0];
  showCells(heat);
}

/** @type {(place: HTMLElement, viewModel: ViewModel) => HeatMap} */
function newHeat(place, viewModel) {
  const label = "Mean use by hour of the week";
  const body = element("tbody");
  const hours = Array.from({ length: 24 }, (_, hour) => element("th", { scope: "col" }, String(hour)));
  const corner = element("th", { scope: "col" }, element("span", { class: "unseen" }, "Day"));
  const head = element("thead", {}, element("tr", {}, [corner, ...hours]));
  const table = element("table", { "aria-label": label }, [head, body]);
  const heat = {
    viewModel,
    choice: element("select", { "aria-label": "What to show by hour of the week" }),
    words: element("p", { class: "quiet" }),
    key: element("p", { class: "heat-key quiet", "aria-hidden": "true" }),
    body,
    scroll: element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, table),
  };
  heat.choice.addEventListener("change", () => {
    wantedHeat = heat.choice.value === picturedOf(heat.viewModel.data)[0] ? null : heat.choice.value;
    showCells(heat);
    heatChanged();
  });
  fill(place, [
    element("h3", {}, HEAT_TITLE),
    element("div", { class: "grid-tools" }, heat.choice),
    heat.words,
    heat.scroll,
    heat.key,
  ]);
  return heat;
}

/** @type {(heat: HeatMap) => void} */
function showCells(heat) {
  const { data, range, zone } = heat.viewModel;
  const key = heat.choice.value;
  const found = heatOf(data, range, key, zone);
  const unit = unitOf(data, key).unit;
  const extreme = extremes(found.cells);
  const { from, to } = binsIn(data, range);
  const span = range ? `${zoned(from, zone)} to ${zoned(to, zone)}` : "the time shown";
  const clock = `Means of ${span}, on the clock of ${zone}.`;
  heat.words.textContent = extreme ? wordsOf(extreme, found, unit, clock) : "There are no data in this range of time.";
  for (const part of [heat.scroll, heat.key]) part.hidden = !extreme;
  fill(
    heat.body,
    found.cells.map((row, day) => {
      const cells = row.map((value, hour) => cellOf(value, found, `${DAYS[day]} ${hourName(hour)}`, unit));
      return element("tr", {}, [element("th", { scope: "row" }, DAYS[day]), ...cells]);
    }),
  );
  const steps = Array.from({ length: HEAT_STEPS + 1 }, (_, step) => element("span", { class: `heat-${step}` }));
  fill(heat.key, [
    "0 % ",
    ...steps,
    ` 100 % of ${found.isLimit ? "the limit" : "the highest"}, ${amount(found.whole)} ${unit}. The cells tell the percentage.`,
  ]);
}

/** @type {(value: number | null, heat: Heat, when: string, unit: string) => HTMLElement} */
function cellOf(value, { whole, isLimit }, when, unit) {
  if (value === null) return element("td", { title: `${when}: no data` }, "·");
  const share = whole ? value / whole : 0;
  const told = percent(share, 1);
  const of = isLimit ? ` of ${amount(whole)}` : "";
  const step = Math.max(0, Math.min(HEAT_STEPS, Math.round(HEAT_STEPS * share)));
  return element(
    "td",
    { class: `heat-${step}`, title: `${when}: ${amount(value)}${of} ${unit} (${told})` },
    told.replaceAll(/[ %]/g, ""), // there is room for four characters
  );
}

/** @type {(found: { least: HeatCell, most: HeatCell }, heat: Heat, unit: string, clock: string) => string} */
function wordsOf({ least, most }, { whole, isLimit }, unit, clock) {
  if (least.value === most.value) {
    return `${most.value ? "The same at every hour" : "None in use at any hour"}. ${clock}`;
  }
  const told = (/** @type {HeatCell} */ { day, hour, value, alike }) => {
    const share = isLimit ? `${percent(value, whole)} of the limit` : `${amount(value)} ${unit}`;
    return `${DAYS[day]} ${hourName(hour)}${alike ? ` and ${counted(alike, "other hour")}` : ""} (${share})`;
  };
  return `Least in use: ${told(least)}. Most: ${told(most)}. ${clock}`;
}

/** @type {(hour: number) => string} */
function hourName(hour) {
  return `${String(hour).padStart(2, "0")}:00`;
}
