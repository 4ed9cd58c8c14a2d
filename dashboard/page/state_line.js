// The line of state: how old the data are, and what of them is missing.

import { element } from "../common/dom.js";
import { ago, counted, visible, zoned } from "../common/format.js";

// `entry` is the QoS in the index, `data` its report or null, `now` the browser's clock (epoch), `trouble` why the last
// look for newer data failed, or ""; `isComing`: the report is on its way.
/**
 * @type {(
 *   entry: Entry, data: First | null, zone: string, now: number, trouble: string, isComing?: boolean
 * ) => Child[]}
 */
export function stateLine(entry, data, zone, now, trouble, isComing = false) {
  const updated = data?.metadata.last_updated_epoch ?? 0;
  /** @type {Child[]} */
  const parts = data
    ? ["updated ", timeOf(updated, zone, ago(now - updated))]
    : [isComing ? "loading" : entry.data ? "no data to show" : "no data yet"];
  if (data && isComing) parts.push(" · loading charts and tables");
  if (data?.rejects.count) parts.push(" · ", rejectsOf(data.rejects));
  if (trouble && (data || !entry.data)) {
    parts.push(" · ", element("span", { class: "trouble" }, `could not look for newer data: ${trouble}`));
  }
  return parts;
}

/** @type {(epoch: number, zone: string, text: string) => HTMLElement} */
function timeOf(epoch, zone, text) {
  return element("time", { datetime: new Date(epoch * 1000).toISOString(), title: zoned(epoch, zone) }, text);
}

/** @type {(rejects: Data["rejects"]) => HTMLElement} */
function rejectsOf(rejects) {
  const reasons = Object.keys(rejects.reasons).map((reason) => `${rejects.reasons[reason]} × ${visible(reason)}`);
  return element(
    "span",
    { class: "rejects", title: reasons.join("\n") },
    `${counted(rejects.count, "record")} of Slurm's not understood and left out`,
  );
}
