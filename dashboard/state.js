// How old the data are: the line of state, and the banner when they are too old.

import { element } from "./dom.js";
import { ago, counted, visible, zoned } from "./format.js";
import { ageWarning } from "./model.js";

// `entry` is the QoS in the index, `data` its report or null, `now` the browser's clock (epoch), `trouble` why the last
// look for newer data failed, or "".
export function stateLine(entry, data, zone, now, trouble) {
  const updated = data?.metadata.last_updated_epoch;
  const parts = data ? ["updated ", timeOf(updated, zone, ago(now - updated))] : [entry.data ? "no data to show" : "no data yet"];
  if (data?.rejects.count) parts.push(" · ", rejectsOf(data.rejects));
  if (trouble && (data || !entry.data)) parts.push(" · ", element("span", { class: "trouble" }, `could not look for newer data: ${trouble}`));
  return parts;
}

function timeOf(epoch, zone, text) {
  return element("time", { datetime: new Date(epoch * 1000).toISOString(), title: zoned(epoch, zone) }, text);
}

function rejectsOf(rejects) {
  const reasons = Object.keys(rejects.reasons).map((reason) => `${rejects.reasons[reason]} × ${visible(reason)}`);
  return element("span", { class: "rejects", title: reasons.join("\n") }, `${counted(rejects.count, "record")} of Slurm's not understood and left out`);
}

// The banner's sentence, or "".
export function bannerText(entry, data, zone, now) {
  const warning = ageWarning(entry, data, now);
  if (!warning) return "";
  const since = warning.since ? `Nothing newer since ${zoned(warning.since, zone)} (${ago(now - warning.since)})` : "Nothing newer has come";
  if (warning.kind === "silent") return `${since}. Three updates are overdue: whatever makes this page may have stopped.`;
  return warning.reason ? `${since}: ${visible(warning.reason)}` : `${since}.`;
}
