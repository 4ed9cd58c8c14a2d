// The range beside the time before it, on the page.

import { element, fill } from "../../common/dom.js";
import { zoned } from "../../common/format.js";
import { plainTable } from "../../tables/plain_table.js";
import { comparedRows } from "./compare.js";

const COMPARE_TITLE = "Compared with the period before";

/** @type {(place: HTMLElement, viewModel: ViewModel) => void} */
export function showCompare(place, viewModel) {
  fill(place, viewModel.compares ? [element("h3", {}, COMPARE_TITLE), ...comparison(viewModel)] : []);
}

/** @type {(viewModel: ViewModel) => HTMLElement[]} */
function comparison(viewModel) {
  const { range, before, zone } = viewModel;
  if (!range) return [element("p", { class: "quiet" }, "Choose a range to compare: everything is shown now.")];
  if (!before) return [element("p", { class: "quiet" }, "No comparison: the data do not go back far enough.")];
  const [since, from, to] = [before.from, range.from, range.to].map((epoch) => zoned(epoch, zone));
  return [
    element("p", { class: "quiet" }, `${from} to ${to}, compared with ${since} to ${from} (dotted in the charts).`),
    plainTable(COMPARE_TITLE, ["", "this period", "period before", "change"], comparedRows(viewModel)),
  ];
}
