// A tab for each QoS; the address names the one that is open.

import { byId } from "../common/dom.js";
import { tokenOf } from "../common/users.js";

/** @type {Map<string, number | "first" | "last">} */
const KEYS = new Map(Object.entries({ ArrowRight: 1, ArrowLeft: -1, Home: "first", End: "last" }));

// `choose(slug)` is called when the reader wants another tab.
/** @type {(choose: (slug: string) => void) => void} */
export function startTabs(choose) {
  const tabs = allTabs();
  for (const tab of tabs) {
    tab.addEventListener("click", () => choose(slugOfTab(tab)));
    tab.addEventListener("keydown", (event) => {
      const target = tabs[placeAfter(event.key, tabs.indexOf(tab), tabs.length)];
      if (!target) return;
      event.preventDefault();
      choose(slugOfTab(target));
      target.focus();
    });
  }
}

/** @type {(slug: string) => void} */
export function openTab(slug) {
  for (const one of allTabs()) {
    const isOpen = one.dataset.slug === slug;
    one.setAttribute("aria-selected", String(isOpen));
    one.tabIndex = isOpen ? 0 : -1;
    byId(one.getAttribute("aria-controls") ?? "").classList.toggle("open", isOpen);
  }
}

/** @type {() => HTMLElement[]} */
function allTabs() {
  return [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[role="tab"]'))];
}

/** @type {(tab: HTMLElement) => string} */
function slugOfTab(tab) {
  return tab.dataset.slug ?? "";
}

// The slug of the QoS that is called so in a view, or null.
/** @type {(name: string | null, entries: Entry[]) => string | null} */
export function slugOf(name, entries) {
  if (name === null) return null;
  return entries.find((entry) => tokenOf(entry.name) === tokenOf(name))?.slug ?? null;
}

// Which of `count` tabs a key leads to from `place`, or -1.
/** @type {(key: string, place: number, count: number) => number} */
export function placeAfter(key, place, count) {
  const step = KEYS.get(key);
  if (step === undefined) return -1;
  if (step === "first") return 0;
  return step === "last" ? count - 1 : (place + step + count) % count;
}
