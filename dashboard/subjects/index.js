// The subjects of the page, in the order in which they are shown. A new one is a folder here and a line in this list;
// the frame knows none of them by name.
//
// A subject is {key, tables, start, state, setState, first, prepare, glance, finds}, of which all but `key` and
// `prepare` may be missing:
// - `tables`: the names of its tables, as they stand in the address;
// - `start(changed)`: once, before anything is shown; `changed()` is to be called when the reader chose something;
// - `state()`, `setState(texts, viewModel)`: what the reader chose, as texts by key, without what is plain; and back;
// - `first(first)`: shows of the first screen what can be told before the report has come, from the fields that the
//   page has inside (`first` in librarian/subjects); gives a function as `prepare` does;
// - `prepare(viewModel)`: works out what is to be shown, and gives a function that shows it, or null where the data
//   tell nothing of the subject. It touches no page: where it throws an error, the report is refused and nothing
//   changed. The function is given `place(name)`: the section of that name in the panel, which is made where the page
//   has none;
// - `finds(data)`: what of it is found by its name in the search field: {name, kind, change(view)}, the part of the
//   view that leads to it;
// - `glance(viewModel, now)`: its card of the first screen, {title, children, to, more}: `to` is the section that has
//   all of it, `more` what the way there is called. Null where the data tell nothing of it. It touches no page either.

import { efficiencySubject } from "./efficiency/subject.js";
import { jobTableSubject } from "./job_table/subject.js";
import { limitsSubject } from "./limits/subject.js";
import { monthsSubject } from "./months/subject.js";
import { queueSubject } from "./queue/subject.js";
import { usageSubject } from "./usage/subject.js";
import { weeksSubject } from "./weeks/subject.js";

/** @type {Subject[]} */
export const SUBJECTS = [
  usageSubject,
  limitsSubject,
  queueSubject,
  efficiencySubject,
  jobTableSubject,
  weeksSubject,
  monthsSubject,
];
