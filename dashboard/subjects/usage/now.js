// Who holds what now, and who came to what in the window.

import { own } from "../../common/report.js";
import { picturedOf } from "../../common/resources.js";

// Who holds what now, the largest share first: [{user, amounts}].
/** @type {(data: Data) => { user: string, amounts: Amounts }[]} */
export function nowRows(data) {
  const total = data.now.total;
  const keys = picturedOf(data);
  const rows = Object.keys(data.now.users).map((user) => ({ user, amounts: own(data.now.users, user, {}) }));
  const weight = (/** @type {{ amounts: Amounts }} */ row) =>
    Math.max(...keys.map((key) => own(row.amounts, key, 0) / (own(total, key, 0) || Infinity)));
  return rows
    .filter((row) => keys.some((key) => own(row.amounts, key, 0) > 0))
    .sort((one, other) => weight(other) - weight(one) || (one.user < other.user ? -1 : 1));
}

// Who came to what in the window, in the order of the JSON, which is by share: [{user, hours, ended}].
/** @type {(data: Data) => TotalsRow[]} */
export function totalRows(data) {
  return data.users.map((user) => ({ user, ...own(data.totals.users, user, { hours: {}, ended: {} }) }));
}
