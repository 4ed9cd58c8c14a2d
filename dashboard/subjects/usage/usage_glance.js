// Who holds most now of what is short, for the first screen.

import { element } from "../../common/dom.js";
import { amount } from "../../common/format.js";
import { othersLast, peopleIn, peopleWords, personName } from "../../common/others.js";
import { own } from "../../common/report.js";
import { labelOf, trackedOf } from "../../common/resources.js";
import { rankedBy, shortOf } from "../../common/short.js";
import { coloursOf, userName } from "../../tables/cells.js";
import { plainTable } from "../../tables/plain_table.js";

const MOST_HOLDERS = 6;
const HOLDERS_TITLE = "Who holds what now";

/** @type {(viewModel: ViewModel) => Glance} */
export function usageGlance({ data, stack }) {
  const users = othersLast(data, rankedBy(data.now.users, shortOf(data)));
  if (!users.length) {
    return {
      title: HOLDERS_TITLE,
      children: [element("p", {}, "Nobody runs anything.")],
      to: "usage",
      more: "Use over time",
    };
  }
  const keys = trackedOf(data);
  const colours = coloursOf(stack);
  const numbers = (/** @type {Amounts} */ amounts) => keys.map((key) => amount(own(amounts, key, 0)));
  const lines = users
    .slice(0, MOST_HOLDERS)
    .map((user) => [userName(user, colours, personName(data, user, "now")), ...numbers(own(data.now.users, user, {}))]);
  const foot = [peopleWords(data, users, "now"), ...numbers(data.now.total)];
  const head = ["User", ...keys.map((key) => labelOf(data, key))];
  const way =
    users.length > MOST_HOLDERS
      ? { to: "now", more: `All ${amount(peopleIn(data, users, "now"))} users` }
      : { to: "usage", more: "Use over time" };
  return { title: HOLDERS_TITLE, children: [plainTable(HOLDERS_TITLE, head, lines, foot)], ...way };
}
