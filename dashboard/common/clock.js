// Clocks of zones: what they show at a time, and when they show it. Times are epochs in seconds.

import { remembered } from "./remembered.js";

const WEEK = 7 * 86400;
/** @type {Intl.DateTimeFormatOptions} */
const FIELDS = {
  hourCycle: "h23",
  year: "numeric",
  month: "numeric",
  day: "numeric",
  hour: "numeric",
  minute: "numeric",
  second: "numeric",
};
/** @type {Map<string, Intl.DateTimeFormat>} */
const dials = new Map(); // zone -> formatter; making one is slow

// The zone of the reader's own clock.
/** @type {() => string} */
export function readersZone() {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone ?? "UTC";
}

// By how many seconds the clock of `zone` is ahead of UTC; a zone that the browser does not know is taken for UTC.
/** @type {(epoch: number, zone: string) => number} */
export function offsetAt(epoch, zone) {
  const part = Object.fromEntries(
    dialOf(zone)
      .formatToParts(epoch * 1000)
      .map(({ type, value }) => [type, Number(value)]),
  );
  return Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second) / 1000 - epoch;
}

// The offset at each of `epochs`, which rise. Asking for each would be slow; no zone changes twice within a week.
/** @type {(epochs: number[], zone: string) => number[]} */
export function offsetsAt(epochs, zone) {
  const offsets = new Array(epochs.length);
  for (let first = 0; first < epochs.length;) {
    let last = first;
    while (last + 1 < epochs.length && epochs[last + 1] - epochs[first] <= WEEK) last += 1;
    fillOffsets(epochs, offsets, first, last, offsetAt(epochs[first], zone), offsetAt(epochs[last], zone), zone);
    first = last + 1;
  }
  return offsets;
}

/**
 * @type {(
 *   epochs: number[], offsets: number[], first: number, last: number, atFirst: number, atLast: number, zone: string
 * ) => void}
 */
function fillOffsets(epochs, offsets, first, last, atFirst, atLast, zone) {
  if (atFirst === atLast) {
    offsets.fill(atFirst, first, last + 1);
  } else if (last - first === 1) {
    [offsets[first], offsets[last]] = [atFirst, atLast];
  } else {
    const middle = (first + last) >> 1;
    const there = offsetAt(epochs[middle], zone);
    fillOffsets(epochs, offsets, first, middle, atFirst, there, zone);
    fillOffsets(epochs, offsets, middle, last, there, atLast, zone);
  }
}

// As a field for date and time takes it: "2026-11-20T14:10". Seconds are left out.
/** @type {(epoch: number, zone: string) => string} */
export function fieldTime(epoch, zone) {
  return new Date((epoch + offsetAt(epoch, zone)) * 1000).toISOString().slice(0, 16);
}

// ISO 8601 with the offset from UTC: "2026-11-20T14:10:00-05:00".
/** @type {(epoch: number, zone: string) => string} */
export function isoTime(epoch, zone) {
  const offset = offsetAt(epoch, zone);
  const minutes = Math.round(Math.abs(offset) / 60);
  const [hour, minute] = [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, "0"));
  const wall = new Date((epoch + offset) * 1000).toISOString().slice(0, 19);
  return `${wall}${offset < 0 ? "-" : "+"}${hour}:${minute}`;
}

// The time of "2026-11-20T14:10" on the clock of `zone`: the first of two where the clock comes back to it; where it is
// skipped, as much later as the clock jumps. NaN for another text.
/** @type {(text: string, zone: string) => number} */
export function epochOfField(text, zone) {
  const wall = Date.parse(`${text}Z`) / 1000;
  if (Number.isNaN(wall)) return NaN;
  const [before, after] = [-1, 1].map((side) => wall - offsetAt(wall + side * 86400, zone));
  const right = [Math.min(before, after), Math.max(before, after)].find(
    (epoch) => epoch + offsetAt(epoch, zone) === wall,
  );
  return right ?? before;
}

// Whether two zones' clocks agree all through a stretch of time.
/** @type {(one: string, other: string, from: number, to: number) => boolean} */
export function sameClock(one, other, from, to) {
  if (one === other) return true;
  for (let at = from; at < to; at += WEEK) if (offsetAt(at, one) !== offsetAt(at, other)) return false;
  return offsetAt(to, one) === offsetAt(to, other);
}

/** @type {(zone: string) => Intl.DateTimeFormat} */
function dialOf(zone) {
  return remembered(dials, zone, () => newDial(zone));
}

/** @type {(zone: string) => Intl.DateTimeFormat} */
function newDial(zone) {
  try {
    return new Intl.DateTimeFormat("en-US", { ...FIELDS, timeZone: zone });
  } catch {
    return new Intl.DateTimeFormat("en-US", { ...FIELDS, timeZone: "UTC" });
  }
}
