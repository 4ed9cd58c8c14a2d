// What the reader looks at, and the end of the address that says so: #qos=avery&range=7d&only=alice
//
// Names are kept as the address can say them: half a character, which no address can hold, is U+FFFD in both.

import { RANGES } from "../common/range.js";
import { MOST_LAYERS } from "../common/users.js";

export const THEMES = ["system", "light", "dark"];
/** @type {View} */
const PLAIN = {
  qos: null,
  section: null,
  range: "all",
  from: null,
  to: null,
  top: null,
  zone: "cluster",
  theme: null,
  compare: false,
  me: null,
  job: null,
  hidden: [],
  only: [],
  pinned: [],
  table: {},
};
/** @type {Map<"hidden" | "only" | "pinned", string>} */
const NAMED = new Map([
  ["hidden", "hide"],
  ["only", "only"],
  ["pinned", "pin"],
]); // part of the view -> its name in the address
const MOST_NAMES = 100;
const LONGEST_NAME = 300;
const LATEST = 253402300799; // the last second of the year 9999
const TABLE_KEY = /^table\.([a-z][\w-]{0,30})$/i;
const MOST_TABLE_KEYS = 20;
const JOB = /^\d{1,12}(_\d{1,12})?$/;
const SECTION = /^[a-z][\w-]{0,30}$/;

// Whether a text can be the id of a job, or of a task of a job array.
/** @type {(text: string) => boolean} */
export function isJobId(text) {
  return JOB.test(text);
}

// A view with nothing chosen, or with `changes` alone.
/** @type {(changes?: Partial<View>) => View} */
export function plainView(changes = {}) {
  return { ...PLAIN, ...changes };
}

// The view that an address's end describes. What it does not say, or says in a way that makes no sense, is as plain.
// `range` is a key of RANGES or "all"; `from` and `to` are epochs and then `range` is "all"; `top` is a number or null;
// `theme` and `me` are null where the address leaves them to the browser; `table` has texts by key.
/** @type {(hash: string) => View} */
export function viewAt(hash) {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const view = plainView(spanAt(said));
  for (const [part, name] of NAMED) view[part] = namesAt(said, name);
  view.qos = said.get("qos") || null;
  const section = said.get("section") ?? "";
  if (SECTION.test(section)) view.section = section;
  if (/^\d{1,2}$/.test(said.get("top") ?? "")) view.top = Math.min(MOST_LAYERS, Math.max(1, Number(said.get("top"))));
  if (said.get("zone") === "mine") view.zone = "mine";
  const theme = said.get("theme") ?? "";
  if (THEMES.includes(theme)) view.theme = theme;
  view.compare = said.get("compare") === "before";
  view.me = namesAt(said, "me")[0] ?? null;
  const job = said.get("job") ?? "";
  if (JOB.test(job)) view.job = job;
  view.table = tableAt(said);
  return view;
}

// The address's end of a view, without what is plain; "" for a plain one.
/** @type {(view: View) => string} */
export function addressOfView(view) {
  const said = new URLSearchParams();
  const say = (/** @type {string} */ name, /** @type {string | number | null} */ value) => {
    if (value !== null) said.append(name, String(value));
  };
  say("qos", view.qos);
  say("section", view.section);
  if (view.from === null || view.to === null) say("range", view.range === "all" ? null : view.range);
  else {
    say("from", timeText(view.from));
    say("to", timeText(view.to));
  }
  say("top", view.top);
  say("zone", view.zone === "cluster" ? null : view.zone);
  for (const [part, name] of NAMED) view[part].forEach((one) => say(name, one));
  say("theme", view.theme);
  say("compare", view.compare ? "before" : null);
  say("me", view.me);
  say("job", view.job);
  for (const key of Object.keys(view.table)) say(`table.${key}`, view.table[key]);
  const text = said.toString().replaceAll("%3A", ":");
  return text && `#${text}`;
}

/** @type {(said: URLSearchParams) => Partial<View>} */
function spanAt(said) {
  const [from, to] = ["from", "to"].map((name) => epochOfText(said.get(name) ?? ""));
  if (from !== null && to !== null && from < to) return { from, to };
  const range = said.get("range") ?? "";
  return RANGES.has(range) ? { range } : {};
}

// A whole number of seconds, or a time in UTC such as 2026-11-20T14:10Z; null for anything else.
/** @type {(text: string) => number | null} */
function epochOfText(text) {
  const epoch = /^\d{1,12}$/.test(text)
    ? Number(text)
    : /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z$/.test(text)
      ? Date.parse(text) / 1000
      : NaN;
  return epoch >= 0 && epoch <= LATEST ? epoch : null;
}

/** @type {(epoch: number) => string} */
function timeText(epoch) {
  return `${new Date(epoch * 1000).toISOString().slice(0, epoch % 60 ? 19 : 16)}Z`;
}

/** @type {(said: URLSearchParams, name: string) => string[]} */
function namesAt(said, name) {
  const names = said.getAll(name).filter((one) => one && one.length <= LONGEST_NAME);
  return [...new Set(names)].slice(0, MOST_NAMES);
}

/** @type {(said: URLSearchParams) => Texts} */
function tableAt(said) {
  const found = [...said].map(([name, value]) => [TABLE_KEY.exec(name)?.[1] ?? "", value]);
  return Object.fromEntries(
    found.filter(([key, value]) => key && value.length <= LONGEST_NAME).slice(0, MOST_TABLE_KEYS),
  );
}
