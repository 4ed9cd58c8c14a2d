// Who used most in the newest month, and how allocations stand, for the first screen.

import { element } from "../../common/dom.js";
import { amount, percent, visible } from "../../common/format.js";
import { othersLast, peopleWords, personName } from "../../common/others.js";
import { own } from "../../common/report.js";
import { askedOf, unitOf } from "../../common/resources.js";
import { rankedBy, shortOf } from "../../common/short.js";
import { coloursOf, userName } from "../../tables/cells.js";
import { plainTable } from "../../tables/plain_table.js";
import { allocationWords, monthName, monthNote, monthsOf } from "./months.js";

const FIRST_USERS = 5;

/** @type {(text: string) => string} */
function sentence(text) {
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}

/** @type {(viewModel: ViewModel) => Glance | null} */
export function monthsGlance({ data, stack }) {
  const [month] = monthsOf(data);
  if (!month) return null;
  const { zone } = data.metadata;
  const keys = askedOf(data);
  const hours = Object.fromEntries(Object.entries(month.users).map(([user, totals]) => [user, totals.hours]));
  const users = othersLast(data, rankedBy(hours, shortOf(data, keys)));
  const colours = coloursOf(stack);
  const whole = (/** @type {string} */ key) => own(month.total.hours, key, 0);
  const cell = (/** @type {string} */ user, /** @type {string} */ key) => {
    const value = own(own(hours, user, {}), key, 0);
    return `${amount(value)} (${percent(value, whole(key))})`;
  };
  const table = `months.${month.month}`;
  const lines = users
    .slice(0, FIRST_USERS)
    .map((user) => [userName(user, colours, personName(data, user, table)), ...keys.map((key) => cell(user, key))]);
  const foot = [peopleWords(data, users, table), ...keys.map((key) => amount(whole(key)))];
  const title = `Most in ${monthName(month.month)}`;
  const head = ["User", ...keys.map((key) => unitOf(data, key).hours)];
  const note = monthNote(month, zone);
  const words = (data.allocations ?? []).map((allocation) =>
    element("p", {}, [element("strong", {}, visible(allocation.name)), `: ${allocationWords(allocation, zone)}`]),
  );
  const children = [
    note ? element("p", { class: "quiet" }, sentence(note)) : null,
    plainTable(title, head, lines, foot),
    ...words,
  ];
  return { title, children, to: "months", more: "All users, accounts and months" };
}
