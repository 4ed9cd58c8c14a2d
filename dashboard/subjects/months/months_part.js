// What each month came to, and the yearly allocation, on the page.

import { drawing, element, fill } from "../../common/dom.js";
import { amount, counted, percent } from "../../common/format.js";
import { peopleWords, personName } from "../../common/others.js";
import { own } from "../../common/report.js";
import { trackedOf } from "../../common/resources.js";
import { shortOf, shortWords } from "../../common/short.js";
import { coloursOf, userCell } from "../../tables/cells.js";
import { hoursColumns, numberColumn } from "../../tables/columns.js";
import { monthExportName } from "../../tables/export_name.js";
import { showGrid } from "../../tables/grid.js";
import { allocationWords, monthName, monthNote, monthRows, monthsOf, olderRule, paceLines } from "./months.js";

const WIDE = 640;
const HIGH_BOX = 200;
/** @type {WeakMap<HTMLElement, MonthParts>} */
const parts = new WeakMap(); // place -> its parts
/** @type {string | null} */
let wantedMonth = null; // the month that the reader chose, null for the newest
let monthChanged = () => {};

// `told` is called when the reader chose another month.
/** @type {(told: () => void) => void} */
export function startMonths(told) {
  monthChanged = told;
}

// What the reader chose, as texts by key, without what is plain; and back.
/** @type {() => Texts} */
export function monthState() {
  return wantedMonth === null ? {} : { month: wantedMonth };
}

/** @type {(texts: Texts) => void} */
export function setMonthState({ month }) {
  wantedMonth = /^\d{4}-\d{2}$/.test(month ?? "") ? month : null;
}

// Shows a month, by user and by account, and allocations in `place`.
/** @type {(place: HTMLElement, viewModel: ViewModel) => void} */
export function showMonths(place, viewModel) {
  const known = parts.get(place) ?? newParts(place, viewModel);
  parts.set(place, known);
  known.viewModel = viewModel;
  const months = monthsOf(viewModel.data);
  place.hidden = !months.length;
  if (!months.length) return;
  const names = months.map(({ month }) => month);
  if ([...known.choice.options].map((option) => option.value).join() !== names.join()) {
    fill(
      known.choice,
      names.map((month) => element("option", { value: month }, monthName(month))),
    );
  }
  known.choice.value = names.find((name) => name === wantedMonth) ?? names[0];
  showMonth(known);
  fill(
    known.allocations,
    (viewModel.data.allocations ?? []).map((allocation) => allocationPart(allocation, viewModel.data.metadata.zone)),
  );
}

/** @type {(place: HTMLElement, viewModel: ViewModel) => MonthParts} */
function newParts(place, viewModel) {
  const known = {
    viewModel,
    choice: element("select", { "aria-label": "Month" }),
    words: element("p", { class: "quiet" }),
    users: element("section", { class: "month-users" }),
    accounts: element("section", { class: "month-accounts" }),
    allocations: element("div", { class: "allocations" }),
  };
  known.choice.addEventListener("change", () => {
    wantedMonth = known.choice.value === known.choice.options[0].value ? null : known.choice.value;
    showMonth(known);
    monthChanged();
  });
  const chooser = element("div", { class: "grid-tools month-choice" }, [known.choice, known.words]);
  fill(place, [
    element("h3", { class: "part" }, "Months"),
    known.allocations,
    chooser,
    element("div", { class: "tables" }, [known.users, known.accounts]),
  ]);
  return known;
}

/** @type {(known: MonthParts) => void} */
function showMonth(known) {
  const { data, stack } = known.viewModel;
  const month = monthsOf(data).find((one) => one.month === known.choice.value);
  if (!month) return;
  const { zone } = data.metadata;
  const note = monthNote(month, zone);
  known.words.textContent = [note && `${note}.`, endedWords(month), olderRule(month, zone)].filter(Boolean).join(" ");
  showGrid(known.users, monthTable(data, stack, month, "users"));
  showGrid(known.accounts, monthTable(data, stack, month, "accounts"));
}

// Of a month that an older release kept it is not known.
/** @type {(month: Month) => string} */
function endedWords({ total }) {
  if (typeof total.jobs !== "number") return "How many runs ended is not known.";
  return `${counted(total.jobs, "run")} ended, ${percent(total.failed ?? 0, total.jobs)} of them failed.`;
}

/** @type {(data: Data, stack: Layer[], month: Month, side: "users" | "accounts") => TableData} */
function monthTable(data, stack, month, side) {
  const keys = trackedOf(data);
  const short = shortOf(data, keys);
  const one = side === "users" ? "user" : "account";
  const rows = monthRows(month, side, keys);
  /** @type {Column[]} */
  const columns = [
    { key: one, label: one === "user" ? "User" : "Account", kind: "name", value: (row) => row.name },
    ...keys.flatMap((key) => hoursColumns(data, key, own(month.total.hours, key, 0))),
    numberColumn("jobs", "runs ended", (row) => row.jobs ?? null),
    numberColumn("failed", "failed", (row) => (row.jobs ? row.failed / row.jobs : null), {
      full: "failed share of the runs",
      head: "failed share of the runs (fraction)",
      kind: "share",
      text: (row) => percent(row.failed, row.jobs),
    }),
  ];
  const colours = coloursOf(stack);
  const table = `months.${month.month}`;
  const everybody = peopleWords(data, Object.keys(month.users), table);
  const nameCell = (/** @type {any} */ row) =>
    row.name === null
      ? element("th", { scope: "row" }, side === "users" ? everybody : counted(rows.length, one))
      : side === "users"
        ? userCell(row.name, colours, personName(data, row.name, table))
        : element("th", { scope: "row" }, element("bdi", {}, row.name));
  const cells = (/** @type {any} */ row) =>
    columns.map((column) =>
      column.kind === "name" ? nameCell(row) : element("td", { class: column.kind }, column.text?.(row)),
    );
  return {
    name: `month-${side}`,
    title: `${monthName(month.month)} by ${one}`,
    span: null,
    note: rows.length
      ? null
      : side === "users"
        ? "Nobody used anything."
        : "Accounts are not known for this month, or not shown on this site.",
    columns,
    rows,
    sort: short,
    why: shortWords(data, short),
    total: { name: null, ...month.total },
    cells,
    file: monthExportName(`month-${side}`, data, month.month),
  };
}

// The pace line of an allocation: used so far, what even use would be, and where it leads.
/** @type {(allocation: Allocation, zone: string) => HTMLElement} */
function allocationPart(allocation, zone) {
  const words = allocationWords(allocation, zone);
  const lines = paceLines(allocation, WIDE, HIGH_BOX);
  const path = (/** @type {string} */ name, /** @type {string} */ d) => drawing("path", { class: name, d });
  /** @type {(x: number, y: number, anchor: string, words: string) => SVGElement} */
  const text = (x, y, anchor, words) => drawing("text", { x: String(x), y: String(y), "text-anchor": anchor }, words);
  const picture = drawing("svg", { viewBox: `0 -14 ${WIDE} ${HIGH_BOX + 16}`, role: "img", "aria-label": words }, [
    path("whole", `M0 ${lines.whole.toFixed(1)}H${WIDE}`),
    path("even", lines.even),
    path("ahead", lines.ahead),
    path("used", lines.used),
    path("now", `M${lines.now.toFixed(1)} 0V${HIGH_BOX}`),
    text(4, lines.whole - 4, "start", `${amount(allocation.amount)} ${allocation.unit}`),
    text(Math.min(WIDE - 30, Math.max(30, lines.now)), -3, "middle", "now"),
  ]);
  return element("figure", { class: "allocation" }, [
    element("h3", {}, allocation.name),
    element("p", {}, words),
    picture,
    element("figcaption", { class: "quiet" }, "Solid: used. Dashed: even use. Dotted: where the pace so far leads."),
  ]);
}
