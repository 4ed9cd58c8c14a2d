// Numbers and times as a person reads them.

const LONGEST = 48;
// controls, invisible formatting (which can reverse a line), lone surrogates, private use, line separators
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu;

export function shownName(name) {
  const visible = Array.from(String(name).replace(UNSEEN, "\ufffd"));
  return visible.length > LONGEST ? `${visible.slice(0, LONGEST - 1).join("")}…` : visible.join("");
}

// Plotly reads a few HTML tags and entities in its texts.
export function plotlyText(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

export function amount(value) {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en-US", { maximumFractionDigits: digits });
}

export function percent(part, whole) {
  if (!whole) return "–";
  if (!part) return "0 %";
  const share = (100 * part) / whole;
  return share < 0.1 ? "< 0.1 %" : `${share.toFixed(share < 10 ? 1 : 0)} %`;
}

export function duration(seconds) {
  if (seconds < 60) return "less than a minute";
  const steps = [[86400, "day"], [3600, "hour"], [60, "minute"]];
  const [length, unit] = steps.find(([size]) => seconds >= size);
  const count = Math.floor(seconds / length);
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

export function ago(seconds) {
  if (seconds < 60) return "just now";
  return `${duration(seconds)} ago`;
}

// An epoch in the cluster's zone, e.g. "Fri, Nov 20, 14:10 EST".
export function zoned(epoch, zone) {
  const options = { weekday: "short", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" };
  const style = { ...options, hour12: false, hourCycle: "h23", timeZoneName: "short" };
  try {
    return new Intl.DateTimeFormat("en-US", { ...style, timeZone: zone }).format(epoch * 1000);
  } catch {
    return new Date(epoch * 1000).toISOString(); // a browser that does not know the zone
  }
}

// The clock of an ISO string's own offset, as Plotly's date axes take it: "2026-11-20T14:00:00".
export function wallClock(iso) {
  return iso.slice(0, 19);
}

// The same clock, some seconds after the ISO string's time.
export function wallClockAfter(iso, seconds) {
  return new Date(Date.parse(`${wallClock(iso)}Z`) + seconds * 1000).toISOString().slice(0, 19);
}
