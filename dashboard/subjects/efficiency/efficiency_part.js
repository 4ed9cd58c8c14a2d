// How well jobs used what they held, on the page: a resource at a time, in words, over time and as a table.

import { drawing, element, fill } from "../../common/dom.js";
import { amount, counted, percent, zoned } from "../../common/format.js";
import { peopleWords, personName } from "../../common/others.js";
import { own } from "../../common/report.js";
import { nameOf, unitOf } from "../../common/resources.js";
import { shortOf } from "../../common/short.js";
import { coloursOf, userCell } from "../../tables/cells.js";
import { numberColumn } from "../../tables/columns.js";
import { exportName } from "../../tables/export_name.js";
import { showGrid } from "../../tables/grid.js";
import { priceWords } from "./found.js";
import { showAskNext, showDistribution, showFindings } from "./found_part.js";
import { USE_SIDES, usePaths, useRow, useRows, unknownTimes, useWords, usedIn, usedKeys } from "./efficiency.js";

const USE_WIDE = 640;
const USE_HIGH = 140;
/** @type {Texts} */
const USE_SORTS = { used: "Used", measured: "Measured, not used", allocated: "Allocated, not measured" };
const EFFICIENCY_TITLE = "Efficiency";
/** @type {WeakMap<HTMLElement, UseParts>} */
const useParts = new WeakMap(); // place -> its parts
/** @type {{ key: string | null, side: UseSide }} */
const chosenUse = { key: null, side: "users" }; // what the reader chose; null: the resource that is short
let useChanged = () => {};
let hatches = 0; // pictures that were drawn

// `told` is called when the reader chose another resource, or by what it is told.
/** @type {(told: () => void) => void} */
export function startEfficiency(told) {
  useChanged = told;
}

// What the reader chose, as texts by key, without what is plain; and back.
/** @type {() => Texts} */
export function useState() {
  return {
    ...(chosenUse.key === null ? {} : { efficiency: chosenUse.key }),
    ...(chosenUse.side === "users" ? {} : { "efficiency-by": chosenUse.side }),
  };
}

/** @type {(texts: Texts) => void} */
export function setUseState(texts) {
  chosenUse.key = texts.efficiency ?? null;
  const side = /** @type {UseSide} */ (texts["efficiency-by"]);
  chosenUse.side = Object.hasOwn(USE_SIDES, side ?? "") ? side : "users";
}

// Shows in `place` what was used of what was held in the range.
/** @type {(place: HTMLElement, viewModel: ViewModel) => void} */
export function showEfficiency(place, viewModel) {
  const known = useParts.get(place) ?? newUseParts(place, viewModel);
  useParts.set(place, known);
  known.viewModel = viewModel;
  const found = usedIn(viewModel.data, viewModel.range);
  const keys = found ? usedKeys(viewModel.data, found.sums) : [];
  known.choices.hidden = !keys.length;
  known.table.hidden = !keys.length;
  if (!found || !keys.length) {
    const none = found ? "No job that ended held anything in this time." : "These data do not tell what jobs used.";
    fill(known.words, element("p", { class: "quiet" }, none));
    fill(known.picture, []);
    for (const part of [known.distribution, known.findings, known.ask]) part.hidden = true;
    return;
  }
  fillOptions(known.resource, keys, (key) => nameOf(viewModel.data, key));
  known.resource.value = useKeyOf(viewModel.data, found.sums, keys);
  known.side.value = chosenUse.side;
  showUse(known);
}

// The resource that is shown: the reader's, where the data have it; else what is short, if it is known how much of that
// was used, else the first of which it is.
/** @type {(data: Data, sums: UseSums, keys: string[]) => string} */
function useKeyOf(data, sums, keys) {
  const measured = keys.filter((key) => sums.total[key].measured_hours > 0);
  const short = shortOf(data);
  return keys.find((key) => key === chosenUse.key) ?? measured.find((key) => key === short) ?? measured[0] ?? keys[0];
}

/** @type {(place: HTMLElement, viewModel: ViewModel) => UseParts} */
function newUseParts(place, viewModel) {
  const known = {
    viewModel,
    resource: element("select", { "aria-label": "Resource whose efficiency is shown" }),
    side: element("select", { "aria-label": "Efficiency by" }),
    choices: element("div", { class: "grid-tools" }),
    words: element("div"),
    picture: element("div", { class: "trends" }),
    table: element("section", { class: "efficiency-table" }),
    distribution: element("section", { class: "distribution" }),
    findings: element("section", { class: "findings" }),
    ask: element("section", { class: "ask-next" }),
  };
  fillOptions(known.side, Object.keys(USE_SIDES), (side) => `by ${USE_SIDES[/** @type {UseSide} */ (side)]}`);
  known.resource.addEventListener("change", () => chooseUse(known, { key: known.resource.value }));
  known.side.addEventListener("change", () => chooseUse(known, { side: /** @type {UseSide} */ (known.side.value) }));
  fill(known.choices, [known.resource, known.side]);
  fill(place, [
    element("h3", {}, "Used of what was allocated"),
    known.choices,
    known.words,
    known.picture,
    known.table,
    known.distribution,
    known.findings,
    known.ask,
  ]);
  return known;
}

/** @type {(select: HTMLSelectElement, values: string[], name: (value: string) => string) => void} */
function fillOptions(select, values, name) {
  if ([...select.options].map((option) => option.value).join() === values.join()) return;
  fill(
    select,
    values.map((value) => element("option", { value }, name(value))),
  );
}

/** @type {(known: UseParts, choice: Partial<typeof chosenUse>) => void} */
function chooseUse(known, choice) {
  Object.assign(chosenUse, choice);
  showUse(known);
  useChanged();
}

/** @type {(known: UseParts) => void} */
function showUse(known) {
  const { data, range, zone } = known.viewModel;
  const found = usedIn(data, range);
  if (!found) return;
  const key = known.resource.value;
  const { sums, exact } = found;
  const span = `${exact ? "" : "The nearest that is known: "}${zoned(sums.from, zone)} to ${zoned(sums.to, zone)}`;
  const price = priceWords(data, key, useRow(null, sums.total[key]).unused);
  fill(known.words, [
    element("p", {}, useWords(data, sums, key)),
    price === null ? null : element("p", {}, price),
    element("p", { class: "quiet" }, `${span}. ${aboutUse(data)}`),
  ]);
  fill(known.picture, usePicture(known.viewModel, key));
  showGrid(known.table, useTable(known.viewModel, sums, key, chosenUse.side));
  showDistribution(known.distribution, known.viewModel, key);
  showFindings(known.findings, known.viewModel);
  showAskNext(known.ask, known.viewModel);
}

/** @type {(data: Data) => string} */
function aboutUse(data) {
  const about = "Of jobs that ended, spread evenly over their time; those that still run are not in it.";
  return [about, ...unknownTimes(data, data.metadata.zone)].join(" ");
}

/** @type {(viewModel: ViewModel, key: string) => HTMLElement[]} */
function usePicture({ data, range }, key) {
  const paths = usePaths(data, range, key, USE_WIDE, USE_HIGH);
  if (!paths) return [];
  const { name, unit } = unitOf(data, key);
  const id = `hatch-${(hatches += 1)}`; // of each picture its own: what is in a hidden panel draws nothing
  const hatch = drawing("pattern", { id, width: "6", height: "6", patternUnits: "userSpaceOnUse" }, [
    drawing("path", { class: "use-hatch", d: "M0 6L6 0" }),
  ]);
  const path = (/** @type {string} */ kind, /** @type {string} */ d) => drawing("path", { class: `use-${kind}`, d });
  const allocated = drawing("path", { fill: `url(#${id})`, d: paths.allocated });
  const label = `${name} of jobs that ended over time: used, measured and allocated; the highest is ${amount(paths.most)} ${unit}`;
  const svg = drawing(
    "svg",
    { viewBox: `0 0 ${USE_WIDE} ${USE_HIGH}`, role: "img", "aria-label": label, preserveAspectRatio: "none" },
    [drawing("defs", {}, [hatch]), allocated, path("measured", paths.measured), path("used", paths.used)],
  );
  const sorts = Object.entries(USE_SORTS).flatMap(([kind, words]) => [
    element("span", { class: `swatch use-${kind}` }),
    ` ${words}. `,
  ]);
  const caption = [...sorts, `The highest is ${amount(paths.most)} ${unit}.`];
  return [element("figure", { class: "use" }, [svg, element("figcaption", { class: "quiet" }, caption)])];
}

// Whoever left most unused stands first: each resource in its own unit, and no score that adds them up.
/** @type {(viewModel: ViewModel, sums: UseSums, key: string, side: UseSide) => TableData} */
function useTable(viewModel, sums, key, side) {
  const { data, zone } = viewModel;
  const { hours } = unitOf(data, key);
  const rows = useRows(sums, side, key);
  const hoursOf = (/** @type {"allocated" | "measured" | "used" | "unused"} */ part) =>
    numberColumn(part, part, (row) => row[part], {
      full: `${hours} ${part}`,
      head: `${hours} ${part}`,
      wide: true,
      text: (row) => (row[part] === null ? "–" : amount(row[part])),
    });
  const share = (/** @type {"efficiency" | "coverage"} */ part, /** @type {string} */ full) =>
    numberColumn(part, part === "coverage" ? "known for" : part, (row) => row[part], {
      full,
      head: `${full} (fraction)`,
      kind: "share",
      wide: part === "coverage",
      text: (row) => (row[part] === null ? "not measured" : percent(row[part], 1)),
    });
  /** @type {Column[]} */
  const columns = [
    { key: "user", label: capitalised(USE_SIDES[side]), kind: "name", value: (row) => row.user },
    ...[hoursOf("allocated"), hoursOf("measured"), hoursOf("used"), hoursOf("unused")],
    share("efficiency", "efficiency: used of what was measured"),
    share("coverage", "known for: measured of what was allocated"),
  ];
  return {
    name: "efficiency-table",
    title: `${EFFICIENCY_TITLE}: ${hours} by ${USE_SIDES[side]}`,
    span: null,
    note: rows.length ? null : side === "users" ? "Nobody held any." : `No ${USE_SIDES[side]} is shown on this site.`,
    columns,
    rows,
    sort: "unused",
    why: null,
    total: useRow(null, own(sums.total, key, { allocated_hours: 0, measured_hours: 0, used_hours: null })),
    cells: cellsOfUse(
      columns,
      viewModel,
      side,
      rows.map((row) => row.user ?? ""),
    ),
    file: exportName("efficiency", data, zone, sums.from, sums.to),
  };
}

/** @type {(columns: Column[], viewModel: ViewModel, side: UseSide, names: string[]) => (row: any) => HTMLElement[]} */
function cellsOfUse(columns, { data, stack }, side, names) {
  const colours = coloursOf(stack);
  const everybody = side === "users" ? peopleWords(data, names, "efficiency") : counted(names.length, USE_SIDES[side]);
  const named = (/** @type {any} */ row) => {
    if (row.user === null) return element("th", { scope: "row" }, everybody);
    return side === "users"
      ? userCell(row.user, colours, personName(data, row.user, "efficiency"))
      : element("th", { scope: "row" }, element("bdi", {}, row.user));
  };
  return (row) =>
    columns.map((column) =>
      column.kind === "name" ? named(row) : element("td", { class: column.kind }, column.text?.(row)),
    );
}

/** @type {(word: string) => string} */
function capitalised(word) {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
