// The controls of time: how much of it is shown, from when to when, and on whose clock.

import { epochOfField, fieldTime, readersZone } from "../common/clock.js";
import { element } from "../common/dom.js";
import { zoned } from "../common/format.js";
import { RANGES, movedRange, rangesOf, wholeOf } from "../common/range.js";
import { hasOtherClock } from "./view_model.js";

const SETTLED_MS = 700; // so long after a field was changed it counts, unless the reader says so sooner

// {parts, show}: elements, and what brings them up to date with a viewModel and its view. `change` takes the part of
// the view that the reader wants changed, `tell` a sentence for the reader, or "".
/** @type {(change: Change, tell: Say) => Tools} */
export function timeTools(change, tell) {
  const ranges = rangeTools(change);
  const span = spanTools(change, tell);
  const compare = compareTool(change);
  const clocks = clockTools(change);
  /** @type {Tool["show"]} */
  const show = (viewModel, view) => [ranges, span, compare, clocks].forEach((tools) => tools.show(viewModel, view));
  return { parts: [ranges.part, span.part, compare.part, clocks.part], show };
}

/** @type {(change: Change) => Tool} */
function rangeTools(change) {
  /** @type {ViewModel | null} */
  let now = null;
  const choose = (/** @type {string} */ range) => change({ range, from: null, to: null });
  const move = (/** @type {number} */ side) => {
    if (now?.range) change({ range: "all", ...movedRange(now.data, now.range, side) });
  };
  const earlier = toolButton("‹", () => move(-1), { "aria-label": "Earlier", title: "Earlier" });
  const later = toolButton("›", () => move(1), { "aria-label": "Later", title: "Later" });
  const choices = [...RANGES.keys(), "all"].map((key) => ({
    key,
    button: toolButton(key === "all" ? "Everything" : key, () => choose(key), { "data-range": key }),
  }));
  const part = group("Time range", [earlier, ...choices.map(({ button }) => button), later]);
  /** @type {Tool["show"]} */
  const show = (viewModel, view) => {
    now = viewModel;
    const offered = [...rangesOf(viewModel.data), "all"];
    const pressed = view.from === null && offered.includes(view.range) ? view.range : viewModel.range ? null : "all";
    for (const { key, button } of choices) {
      button.hidden = !offered.includes(key);
      button.setAttribute("aria-pressed", String(key === pressed));
    }
    const whole = wholeOf(viewModel.data);
    earlier.setAttribute("aria-disabled", String(!viewModel.range || viewModel.range.from <= whole.from));
    later.setAttribute("aria-disabled", String(!viewModel.range || viewModel.range.to >= whole.to));
  };
  return { part, show };
}

/** @type {(change: Change, tell: Say) => Tool} */
function spanTools(change, tell) {
  /** @type {ViewModel | null} */
  let now = null;
  let waiting = 0;
  const [from, to] = ["From", "To"].map((name) =>
    element("input", { type: "datetime-local", "aria-label": name, step: "60" }),
  );
  const take = () => {
    clearTimeout(waiting);
    if (!now || [from, to].every((field) => field.value === field.dataset.shown)) return;
    const { zone } = now;
    const wanted = [from, to].map((field) => timeIn(field, zone));
    const wrong = [from, to].map((field) => !field.value || !field.checkValidity());
    wrong[1] ||= !wrong[0] && wanted[0] >= wanted[1];
    [from, to].forEach((field, place) => field.setAttribute("aria-invalid", String(wrong[place])));
    if (wrong.some(Boolean)) return tell(whatIsWrong(now));
    change({ range: "all", from: wanted[0], to: wanted[1] });
  };
  const soon = () => {
    clearTimeout(waiting);
    waiting = setTimeout(take, SETTLED_MS);
  };
  for (const field of [from, to]) {
    field.addEventListener("change", soon);
    field.addEventListener("blur", take);
    field.addEventListener("keydown", (event) => event.key === "Enter" && take());
  }
  const part = group("From and to", [
    element("span", { "aria-hidden": "true" }, "From"),
    from,
    element("span", { "aria-hidden": "true" }, "to"),
    to,
  ]);
  part.classList.add("span");
  /** @type {Tool["show"]} */
  const show = (viewModel) => {
    now = viewModel;
    const whole = wholeOf(viewModel.data);
    const range = viewModel.range ?? whole;
    showTime(from, range.from, whole, viewModel.zone);
    showTime(to, range.to, whole, viewModel.zone);
  };
  return { part, show };
}

// A field that the reader did not touch stands for the exact time, of which it shows the minutes.
/** @type {(field: HTMLInputElement, zone: string) => number} */
function timeIn(field, zone) {
  return field.value === field.dataset.shown ? Number(field.dataset.epoch) : epochOfField(field.value, zone);
}

// The field in which the reader writes stays as it is.
/** @type {(field: HTMLInputElement, epoch: number, whole: Span, zone: string) => void} */
function showTime(field, epoch, whole, zone) {
  const text = fieldTime(epoch, zone);
  const isTouched = field === document.activeElement && ![field.dataset.shown, text].includes(field.value);
  Object.assign(field.dataset, { shown: text, epoch: String(epoch) });
  [field.min, field.max] = [fieldTime(whole.from, zone), fieldTime(whole.to, zone)];
  if (isTouched) return;
  if (field.value !== text) field.value = text;
  field.removeAttribute("aria-invalid");
}

/** @type {(viewModel: ViewModel) => string} */
function whatIsWrong({ data, zone }) {
  const { from, to } = wholeOf(data);
  return `There are data from ${zoned(from, zone)} to ${zoned(to, zone)}; the first time must be before the second.`;
}

/** @type {(change: Change) => Tool} */
function compareTool(change) {
  let isOn = false;
  const part = toolButton("Compare", () => change({ compare: !isOn }), {
    title: "Compare this range with the period before it",
  });
  /** @type {Tool["show"]} */
  const show = (_, view) => {
    isOn = view.compare;
    part.setAttribute("aria-pressed", String(isOn));
  };
  return { part, show };
}

/** @type {(change: Change) => Tool} */
function clockTools(change) {
  const choices = [
    ["cluster", "Cluster time"],
    ["mine", "My time"],
  ].map(([zone, name]) => ({ zone, button: toolButton(name, () => change({ zone }), { "data-zone": zone }) }));
  const part = group(
    "Times shown",
    choices.map(({ button }) => button),
  );
  /** @type {Tool["show"]} */
  const show = (viewModel, view) => {
    const mine = readersZone();
    part.hidden = !hasOtherClock(viewModel.data, mine);
    for (const { zone, button } of choices) {
      button.setAttribute("aria-pressed", String(view.zone === zone));
      button.title = zone === "mine" ? mine : viewModel.data.metadata.zone;
    }
  };
  return { part, show };
}

/** @type {(text: string, act: () => void, attributes?: Attributes) => HTMLButtonElement} */
export function toolButton(text, act, attributes = {}) {
  const made = element("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", act);
  return made;
}

/** @type {(label: string, children: Children) => HTMLElement} */
export function group(label, children) {
  return element("div", { class: "group", role: "group", "aria-label": label }, children);
}
