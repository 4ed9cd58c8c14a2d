// The last week beside the one before it. It has no section of its own: it is told on the first screen alone.

import { element } from "../../common/dom.js";
import { shownName } from "../../common/format.js";
import { plainTable } from "../../tables/plain_table.js";
import { weeksOf } from "./weeks.js";

const WEEKS_TITLE = "This week and the one before";

/** @type {Subject} */
export const weeksSubject = {
  key: "weeks",
  prepare: () => null,
  glance({ data, zone }) {
    const told = weeksOf(data, zone);
    if (!told) return null;
    const lines = told.rows.map(({ label, cells }) => [label, ...cells]);
    const changes = told.changes.map(({ user, text }) =>
      element("li", {}, [element("bdi", {}, shownName(user)), `: ${text}`]),
    );
    const list = changes.length
      ? [element("h4", {}, "Largest changes"), element("ul", { class: "plain-list" }, changes)]
      : [];
    const table = plainTable(WEEKS_TITLE, ["", "last 7 days", "7 days before", "change"], lines);
    return {
      title: WEEKS_TITLE,
      children: [element("p", { class: "quiet" }, told.until), table, ...list],
      to: "",
      more: "",
    };
  },
};
