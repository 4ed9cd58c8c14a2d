// Why jobs wait, the largest reason first, for the first screen.

import { element } from "../../common/dom.js";
import { amount, visible } from "../../common/format.js";
import { queueSentences, reasonCard } from "./queue.js";
import { reasonPart } from "./queue_part.js";

// The reason of most jobs among those that compete, and how many others there are.
/** @type {(data: Data) => { first: Reason | null, others: number }} */
export function firstReason(data) {
  const reasons = data.queue?.reasons ?? [];
  const competing = reasons.filter(({ group }) => group === "competing");
  const ranked = [...(competing.length ? competing : reasons)].sort((one, other) => other.jobs - one.jobs);
  return { first: ranked[0] ?? null, others: Math.max(0, reasons.length - 1) };
}

/** @type {(viewModel: ViewModel, now: number) => Glance | null} */
export function queueGlance({ data, zone }, now) {
  if (!data.queue) return null;
  const sentences = queueSentences(data, zone, now).map((text) => element("p", {}, visible(text)));
  const { first, others } = firstReason(data);
  const card = first ? [element("ul", { class: "reasons" }, reasonPart(reasonCard(data, first, zone, now)))] : [];
  const more = others ? `${amount(others)} more ${others === 1 ? "reason" : "reasons"}, and who waits` : "The queue";
  return { title: "Why jobs wait", children: [...sentences, ...card], to: "queue", more };
}
