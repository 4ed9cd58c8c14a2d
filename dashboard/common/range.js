// Which stretch of the data the reader looks at. A range is {from, to} in epochs, half-open, within the data; null is
// all.

// The ranges that a reader may choose, in hours; the data tell waiting times of the same.
/** @type {Map<string, number>} */
export const RANGES = new Map([
  ["6h", 6],
  ["12h", 12],
  ["24h", 24],
  ["3d", 72],
  ["7d", 168],
  ["14d", 336],
  ["30d", 720],
]);
const HOUR = 3600;

// From the first bin to the end of the data.
/** @type {(data: Data) => Span} */
export function wholeOf(data) {
  return { from: data.edges[0], to: data.metadata.last_updated_epoch };
}

// The keys of RANGES that show less than everything.
/** @type {(data: Data) => string[]} */
export function rangesOf(data) {
  const { from, to } = wholeOf(data);
  return [...RANGES.keys()].filter((key) => hoursOf(key) * HOUR < to - from);
}

/** @type {(range: string) => number} */
function hoursOf(range) {
  return RANGES.get(range) ?? Infinity;
}

// {range, outside} of a view. A range such as "7d" ends where the data end, and moves on with them; from and to stay.
// Where no data are between them, `outside` is true and the range holds nothing.
/** @type {(view: View, data: Data) => { range: Span | null, outside: boolean }} */
export function rangeOf(view, data) {
  const { from, to } = wholeOf(data);
  if (view.from === null || view.to === null) {
    const begin = to - hoursOf(view.range) * HOUR;
    return { range: begin > from ? { from: begin, to } : null, outside: false };
  }
  if (view.to <= from || view.from >= to) {
    const nearest = view.to <= from ? from : to;
    return { range: { from: nearest, to: nearest }, outside: true };
  }
  const within = { from: Math.max(from, view.from), to: Math.min(to, view.to) };
  return { range: within.from === from && within.to === to ? null : within, outside: false };
}

// The bins that a range touches, whole, with the seconds of each: {from, to, first, seconds}. The data tell nothing of
// the parts of a bin, so what is counted in a range is counted from the begin of its first bin to the end of its last.
/** @type {(data: Data, range: Span | null) => Span & { first: number, seconds: number[] }} */
export function binsIn(data, range) {
  const { from, to } = range ?? wholeOf(data);
  const ends = [...data.edges.slice(1, -1), data.metadata.last_updated_epoch];
  const first = ends.findIndex((end) => end > from);
  if (first < 0 || to <= from) return { from, to: from, first: 0, seconds: [] };
  const seconds = [];
  for (let bin = first; bin < ends.length && data.edges[bin] < to; bin += 1) {
    seconds.push(Math.max(0, ends[bin] - data.edges[bin]));
  }
  return { from: data.edges[first], to: ends[first + seconds.length - 1], first, seconds };
}

// The range as far again to the earlier (side -1) or later (side 1), by half of its length, within the data.
/** @type {(data: Data, range: Span, side: number) => Span} */
export function movedRange(data, range, side) {
  const whole = wholeOf(data);
  const length = range.to - range.from;
  const from = Math.round(Math.min(whole.to - length, Math.max(whole.from, range.from + (side * length) / 2)));
  return { from, to: from + length };
}

// The stretch before a range, as long; null where the data have not all of it.
/** @type {(data: Data, range: Span | null) => Span | null} */
export function beforeOf(data, range) {
  if (!range || range.to <= range.from) return null;
  const from = range.from - (range.to - range.from);
  return from >= wholeOf(data).from ? { from, to: range.from } : null;
}

// What a stretch drawn with the mouse asks for: whole minutes, at least as long as a bin. What was dragged out of the
// data is put back, as long as it was.
/** @type {(data: Data, from: number, to: number) => Span} */
export function drawnRange(data, from, to) {
  const whole = wholeOf(data);
  const short = Math.max(0, data.metadata.time_resolution_seconds - (to - from)) / 2;
  const out = Math.max(0, whole.from - (from - short)) - Math.max(0, to + short - whole.to);
  const minutes = [from - short + out, to + short + out].map((epoch) => Math.round(epoch / 60) * 60);
  return { from: Math.max(whole.from, minutes[0]), to: Math.min(whole.to, minutes[1]) };
}
