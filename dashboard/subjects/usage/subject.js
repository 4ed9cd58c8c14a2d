// Usage: who holds what now, what each came to in the range, and when it is usually free. The charts of use are the
// frame's. It is told by every report.

import { showGrid } from "../../tables/grid.js";
import { showCompare } from "./compare_part.js";
import { heatState, setHeatState, showHeat, startHeat } from "./heatmap.js";
import { usageGlance } from "./usage_glance.js";
import { nowTable, totalsTable } from "./usage_tables.js";

/** @type {Subject} */
export const usageSubject = {
  key: "usage",
  tables: ["now", "totals"],
  start: startHeat,
  state: heatState,
  setState: setHeatState,
  glance: usageGlance,
  prepare(viewModel) {
    const now = nowTable(viewModel);
    const totals = totalsTable(viewModel);
    return (place) => {
      showCompare(place("compare"), viewModel);
      showGrid(place("now"), now);
      showGrid(place("totals"), totals);
      showHeat(place("heat"), viewModel);
    };
  },
};
