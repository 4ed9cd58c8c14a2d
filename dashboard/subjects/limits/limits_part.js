// Limits, how close use came to them, and who held what then, on the page.

import { element, fill } from "../../common/dom.js";
import { amount, lasting, percent, shownName, visible, zoned } from "../../common/format.js";
import { binsIn } from "../../common/range.js";
import { nameOf, unitOf } from "../../common/resources.js";
import { plainTable } from "../../tables/plain_table.js";
import { policyRow, pressureIn } from "./pressure.js";

const HOLDERS = 4;

// How close use came to the limits in the range.
/** @type {(place: HTMLElement, viewModel: ViewModel) => void} */
export function showPressure(place, { data, range, zone }) {
  const rows = pressureIn(data, range);
  const { from, to } = binsIn(data, range);
  const span = range ? `in the range, ${zoned(from, zone)} to ${zoned(to, zone)}` : "in the window";
  const heading = element("h3", {}, ["At the limit", element("small", {}, span)]);
  if (!data.peaks) return fill(place, [heading, element("p", { class: "quiet" }, "These data tell nothing of it.")]);
  if (!rows.length) {
    return fill(place, [heading, element("p", { class: "quiet" }, "There is no limit here on what is shown.")]);
  }
  const head = ["", "now", "highest", "at 95 % or more", "held then by"];
  const note = element(
    "p",
    { class: "quiet" },
    "Highest is what all held at one moment. Who held it is told for the whole window.",
  );
  fill(place, [
    heading,
    plainTable(
      "How close use came to the limits",
      head,
      rows.map((row) => pressureLine(data, row, zone)),
    ),
    note,
  ]);
}

/** @type {(data: Data, row: PressureRow, zone: string) => Child[]} */
function pressureLine(data, row, zone) {
  const of = row.used === null ? ", limit" : " of";
  const limit = row.limit.kind === "limit" ? `${of} ${amount(row.limit.value)} ${unitOf(data, row.key).unit}` : "";
  const comparable = row.used !== null && row.limit.kind === "limit" && row.limit.value;
  const peak = row.peak
    ? `${amount(row.peak.value)}${comparable ? ` (${percent(row.peak.value, row.limit.value ?? 0)})` : ""}`
    : "–";
  const holders = row.holders
    .slice(0, HOLDERS)
    .map(({ user, share }) => `${shownName(user)} ${percent(share, 1)}`)
    .join(", ");
  return [
    nameOf(data, row.key),
    `${amount(row.used ?? row.held)}${limit}`,
    element("span", { title: row.peak ? `in the time since ${zoned(row.peak.from, zone)}` : null }, peak),
    nearWords(row.near, row.used === null),
    element("bdi", {}, holders || "–"),
  ];
}

// For how long use was near the limit; jobs of other QoS, of which nothing is known, can fill one that is shared.
/** @type {(near: number | null, shared: boolean) => string} */
export function nearWords(near, shared) {
  if (near === null) return "–";
  if (shared) return near > 0 ? `${lasting(near)} at least` : "not known";
  return near > 0 ? lasting(near) : "never";
}

// Every limit that Slurm or the configuration sets, and which of them binds first.
/** @type {(place: HTMLElement, viewModel: ViewModel) => void} */
export function showPolicy(place, { data }) {
  const rows = (data.policy ?? []).map(policyRow);
  const heading = element("h3", {}, "Limits");
  if (!data.policy) return fill(place, [heading, element("p", { class: "quiet" }, "These data tell nothing of it.")]);
  if (!rows.length) return fill(place, [heading, element("p", { class: "quiet" }, "Slurm sets no limit here.")]);
  const flags = data.flags?.length
    ? element("p", { class: "quiet" }, `Flags of the QoS: ${data.flags.map(visible).join(", ")}.`)
    : null;
  fill(place, [heading, plainTable("Limits", ["for", "of", "limit", "in use", "set by"], rows.map(policyLine)), flags]);
}

/** @type {(row: PolicyWords) => Child[]} */
function policyLine({ per, what, limit, used, by, share, of, setting, binds }) {
  const inUse =
    used === null ? "–" : `${used}${share === null ? "" : ` (${percent(share, 1)})`}${by ? `, ${shownName(by)}` : ""}`;
  return [
    per,
    visible(what),
    binds ? element("strong", {}, limit) : limit,
    element("bdi", {}, inUse),
    element("span", { title: visible(setting) }, visible(of)),
  ];
}
