// The table of jobs: what became of each job of the range, where the site tells that. Its data come when it is looked
// at.

import { jobState, setJobState, showJobs, startJobs } from "./job_part.js";

/** @type {Subject} */
export const jobTableSubject = {
  key: "job_table",
  start: startJobs,
  state: jobState,
  setState: setJobState,
  prepare: (viewModel) => (place) => showJobs(place("jobs"), viewModel),
};
