// The range beside the time before it, on the page.

import { element, fill } from "../../common/dom.js";
import { zoned } from "../../common/format.js";
import { plainTable } from "../../tables/plain_table.js";
import { comparedRows } from "./compare.js";

const COMPARE_TITLE = "Beside the time before";

/** @type {(place: HTMLElement, viewModel: ViewModel) => void} */
export function showCompare(place, viewModel) {
  fill(place, viewModel.compares ? [element("h3", {}, COMPARE_TITLE), ...comparison(viewModel)] : []);
}

/** @type {(viewModel: ViewModel) => HTMLElement[]} */
function comparison(viewModel) {
  const { range, before, zone } = viewModel;
  if (!range) return [element("p", { class: "quiet" }, "Everything is shown: choose a range to compare it.")];
  if (!before) return [element("p", { class: "quiet" }, "The data do not reach back as far again before this range.")];
  const [since, from, to] = [before.from, range.from, range.to].map((epoch) => zoned(epoch, zone));
  return [
    element("p", { class: "quiet" }, `${from} to ${to}, beside ${since} to ${from}: the dotted line in the charts.`),
    plainTable(COMPARE_TITLE, ["", "this range", "the time before", "change"], comparedRows(viewModel)),
  ];
}
