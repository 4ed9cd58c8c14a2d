// Colours of those who are shown together: no two users share one.

import { own } from "../common/report.js";

export const OTHERS_COLOUR = "#BBBBBB";
// as in librarian/shared/palette.py, where the data have their colours from; a site with many users has them repeatedly
// prettier-ignore
const PALETTE = [
  "#332288", "#88CCEE", "#44AA99", "#117733", "#999933", "#DDCC77", "#CC6677", "#882255", "#AA4499", "#EE8866",
  "#4477AA", "#BBCC33", "#FFAABB", "#0000FF", "#BB55FF", "#88AAFF", "#AA0011", "#5522CC", "#FFCCAA", "#7766CC",
  "#9999BB", "#DD2244", "#FF3300", "#7733FF", "#6644CC", "#444499", "#335500", "#883344", "#99EE00", "#008866",
  "#AA5588", "#77AADD", "#77CC88", "#FF9955", "#664477", "#FFCC66", "#00EEDD", "#BB77FF", "#FF6699", "#7788CC",
  "#EE9900", "#DD1122", "#8844EE", "#EE2266", "#CC55BB", "#1144AA", "#AABBFF", "#448855", "#CC44DD", "#338811",
];
const STEP = 0x9e3779;

// Colour by user. Of `users` who have the same in `colours` the first keeps it, and the others get the first that none
// of them has. Who comes `later` changes nothing of theirs. The others' grey, and no colour, stay grey.
/** @type {(colours: Record<string, string>, users: string[], later?: string[]) => Map<string, string>} */
export function toldApart(colours, users, later = []) {
  const found = new Map();
  const taken = new Set([OTHERS_COLOUR]);
  const give = (/** @type {string} */ user, /** @type {string} */ colour) => {
    found.set(user, colour);
    taken.add(colour);
  };
  const first = new Set(users);
  const everybody = [...new Set([...users, ...later])];
  const colourOf = (/** @type {string} */ user) => own(colours, user, OTHERS_COLOUR);
  for (const user of everybody) {
    const colour = colourOf(user);
    if (colour === OTHERS_COLOUR || (first.has(user) && !taken.has(colour))) give(user, colour);
  }
  for (const user of everybody) {
    if (!found.has(user)) give(user, taken.has(colourOf(user)) ? freeColour(taken) : colourOf(user));
  }
  return found;
}

// First those that can be told apart by eye, then any.
/** @type {(taken: Set<string>) => string} */
function freeColour(taken) {
  const known = PALETTE.find((colour) => !taken.has(colour));
  if (known) return known;
  for (let number = 1; ; number += 1) {
    const colour = `#${((number * STEP) % 0x1000000).toString(16).toUpperCase().padStart(6, "0")}`;
    if (!taken.has(colour)) return colour;
  }
}
