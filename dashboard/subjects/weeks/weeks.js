// The last week beside the one before it, in words and numbers; touches no page.

import { amount, changeOf, lasting, percent, zoned } from "../../common/format.js";
import { own } from "../../common/report.js";
import { askedOf, unitOf } from "../../common/resources.js";

// {until, rows, changes}: a row is {label, cells} with this week's, the last one's and the change; null where the data
// do not hold two weeks.
/** @type {(data: Data, zone: string) => WeeksWords | null} */
export function weeksOf(data, zone) {
  const [now, before] = data.weeks?.spans ?? [];
  if (!now || !before) return null;
  const hours = askedOf(data).map((key) => ({
    label: unitOf(data, key).hours,
    cells: weekCells(own(now.hours, key, 0), own(before.hours, key, 0)),
  }));
  const both = (/** @type {(week: Week) => string} */ text) => [text(now), text(before), ""];
  return {
    until: `Up to ${zoned(now.to, zone)}.`,
    rows: [
      ...hours,
      { label: "Jobs that ended", cells: weekCells(now.jobs, before.jobs) },
      { label: "Of them failed", cells: both((week) => percent(week.failed, week.jobs)) },
      { label: "Median wait", cells: both(({ median_wait: wait }) => (wait === null ? "–" : lasting(wait))) },
    ],
    changes: (data.weeks?.changes ?? []).map((change) => ({ user: change.user, text: weekChangeText(data, change) })),
  };
}

/** @type {(hours: number, before: number) => string[]} */
function weekCells(hours, before) {
  return [amount(hours), amount(before), changeOf(hours, before)];
}

/** @type {(data: Data, change: WeekChange) => string} */
function weekChangeText(data, { key, hours, before }) {
  return `${amount(hours)} ${unitOf(data, key).hours}, ${amount(before)} the week before`;
}
