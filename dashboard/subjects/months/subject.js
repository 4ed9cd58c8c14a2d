// Months: what each calendar month came to, by user and by account, and the pace of yearly allocations. Where the data
// have no month, nothing of it is shown.

import { monthsGlance } from "./months_glance.js";
import { monthState, setMonthState, showMonths, startMonths } from "./months_part.js";

/** @type {Subject} */
export const monthsSubject = {
  key: "months",
  glance: monthsGlance,
  finds: (data) =>
    [...new Set((data.months ?? []).flatMap((month) => Object.keys(month.accounts)))].map((name) => ({
      name,
      kind: "account",
      change: ({ table }) => ({ section: "months", table: { ...table, "month-accounts-filter": name } }),
    })),
  tables: ["month-users", "month-accounts"],
  start: startMonths,
  state: monthState,
  setState: setMonthState,
  prepare: (viewModel) => (place) => showMonths(place("months"), viewModel),
};
