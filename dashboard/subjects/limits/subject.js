// Limits: how much of them is in use now, how close use came to them, and what Slurm sets. Reports of before `peaks`
// and `policy` tell only the first.

import { fill } from "../../common/dom.js";
import { headroomOf } from "./headroom.js";
import { showPolicy, showPressure } from "./limits_part.js";

/** @type {WeakMap<HTMLElement, Data>} */
const reports = new WeakMap(); // place of the headroom -> the report that it shows: it is the same in every range

/** @type {Subject} */
export const limitsSubject = {
  key: "limits",
  first: (first) => (place) => fill(place("headroom"), headroomOf(first)),
  prepare(viewModel) {
    const { data } = viewModel;
    const gauges = headroomOf(data);
    return (place) => {
      const headroom = place("headroom");
      if (reports.get(headroom) !== data) fill(headroom, gauges);
      reports.set(headroom, data);
      showPressure(place("pressure"), viewModel);
      showPolicy(place("policy"), viewModel);
    };
  },
};
