// Numbers, names and times as a person reads them. Numbers read as in librarian/shared/words.py: both are held to the
// cases in tests/data/numbers.json.

import { rounded } from "./decimal.js";
import { remembered } from "./remembered.js";

const LONGEST = 48;
// controls, invisible formatting (which can reverse a line), lone surrogates, private use, line separators
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu;
/** @type {Intl.DateTimeFormatOptions} */
const CLOCK = {
  weekday: "short",
  month: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
};
/** @type {Map<string, Intl.DateTimeFormat>} */
const clocks = new Map(); // zone -> formatter; making one is slow
const EQUAL = 1e-12; // what the sums of floats leave of a difference that is none

// A text from outside with nothing invisible in it.
/** @type {(text: string) => string} */
export function visible(text) {
  return String(text).replace(UNSEEN, "\ufffd");
}

// A name from outside, shortened where it is very long.
/** @type {(name: string) => string} */
export function shownName(name) {
  const characters = Array.from(visible(name));
  if (characters.length <= LONGEST) return characters.join("");
  return `${characters.slice(0, LONGEST - 1).join("")}…`;
}

// Plotly reads a few HTML tags and entities in its texts.
/** @type {(text: string) => string} */
export function plotlyText(text) {
  return visible(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

// Whole from 100 on, two places below 10. What is not 0 never reads as 0.
/** @type {(value: number) => string} */
export function amount(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const text = rounded(size, size >= 100 ? 0 : size >= 10 ? 1 : 2);
  return signed(value, text === "0" && value ? "< 0.01" : text);
}

// A share: whole from 10 % on, one place below. 100 % is said only where it is all, and no more.
/** @type {(part: number, whole: number) => string} */
export function percent(part, whole) {
  const share = whole > 0 ? part / whole : NaN;
  if (!Number.isFinite(share)) return "–";
  const size = Math.abs(share);
  let text = rounded(size, size >= 0.1 ? 0 : 1, 2);
  if (size < 0.001) text = part ? "< 0.1" : "0";
  else if (text === "100" && Math.abs(size - 1) > EQUAL) text = size < 1 ? "> 99" : "> 100";
  return `${signed(share, text)} %`;
}

// The text of a number from that of its size.
/** @type {(value: number, text: string) => string} */
function signed(value, text) {
  if (value >= 0) return text;
  const [size, bound] = text.split(" ").reverse();
  return bound ? `${bound === "<" ? ">" : "<"} -${size}` : `-${size}`;
}

/** @type {(count: number, singular: string, plural?: string) => string} */
export function counted(count, singular, plural = `${singular}s`) {
  const told = amount(count);
  return `${told} ${told === "1" ? singular : plural}`;
}

// How long ago something was; what a slow browser clock holds for the future is now.
/** @type {(seconds: number) => string} */
export function ago(seconds) {
  if (seconds < 60) return "just now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 2 * 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${amount(Math.floor(seconds / 86400))} days ago`;
}

// How long something lasts: "45 s", "12 min", "3 h 20 min", "2 d 4 h".
/** @type {(seconds: number) => string} */
export function lasting(seconds) {
  if (seconds > 0 && seconds < 0.5) return "< 1 s";
  const whole = Math.floor(seconds + 0.5);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min`;
  const [big, small, one, other] = whole < 86400 ? [3600, 60, "h", "min"] : [86400, 3600, "d", "h"];
  const rest = Math.floor((whole % big) / small);
  return `${amount(Math.floor(whole / big))} ${one}${rest ? ` ${rest} ${other}` : ""}`;
}

// A UTC epoch on the clock of `zone`: "Fri, Nov 20, 14:10 EST".
/** @type {(epoch: number, zone: string) => string} */
export function zoned(epoch, zone) {
  return clockOf(zone, "full").format(epoch * 1000);
}

// The time of day alone: "14:10".
/** @type {(epoch: number, zone: string) => string} */
export function timeOfDay(epoch, zone) {
  return clockOf(zone, "day").format(epoch * 1000);
}

// The day alone: "Nov 20, 2026".
/** @type {(epoch: number, zone: string) => string} */
export function zonedDay(epoch, zone) {
  return clockOf(zone, "date").format(epoch * 1000);
}

/** @type {(zone: string, kind: ClockKind) => Intl.DateTimeFormat} */
function clockOf(zone, kind) {
  const key = `${kind} ${zone}`;
  return remembered(clocks, key, () => newClock(zone, kind));
}

/** @type {(zone: string, kind: ClockKind) => Intl.DateTimeFormat} */
function newClock(zone, kind) {
  const { hour, minute, hourCycle, month, day } = CLOCK;
  /** @type {Record<ClockKind, Intl.DateTimeFormatOptions>} */
  const styles = {
    full: { ...CLOCK, timeZoneName: "short" },
    day: { hour, minute, hourCycle },
    date: { year: "numeric", month, day },
  };
  const style = styles[kind];
  try {
    return new Intl.DateTimeFormat("en-US", { ...style, timeZone: zone });
  } catch {
    return new Intl.DateTimeFormat("en-US", { ...CLOCK, timeZone: "UTC", timeZoneName: "short" }); // an unknown zone
  }
}

// What a bin of so many seconds is called: "hour", "30 minutes".
/** @type {(seconds: number) => string} */
export function binName(seconds) {
  if (seconds === 3600) return "hour";
  if (seconds === 86400) return "day";
  return seconds % 3600 === 0 ? `${amount(seconds / 3600)} hours` : `${amount(seconds / 60)} minutes`;
}

// How much more or less that is, as a share of what was before.
/** @type {(hours: number, before: number) => string} */
export function changeOf(hours, before) {
  if (hours === before) return "same";
  if (!before) return "new";
  const share = percent(hours - before, before);
  return hours > before ? share.replace(/\d/, "+$&") : share; // "< +0.1 %"
}
