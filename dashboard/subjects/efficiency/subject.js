// Efficiency: how much of what jobs held they used, and of how much of it that is known. Where the data tell nothing of
// it, that is said.

import { setUseState, showEfficiency, startEfficiency, useState } from "./efficiency_part.js";

/** @type {Subject} */
export const efficiencySubject = {
  key: "efficiency",
  tables: ["efficiency-table"],
  start: startEfficiency,
  state: useState,
  setState: setUseState,
  prepare: (viewModel) => (place) => showEfficiency(place("efficiency"), viewModel),
};
