// A tab for each QoS; the address names the one that is open.

import { tokenOf } from "../shared/users.js";
import { addressOfView, plainView, viewAt } from "./view.js";

const KEYS = new Map([
  ["ArrowRight", 1],
  ["ArrowLeft", -1],
  ["Home", "first"],
  ["End", "last"],
]);

// `choose(slug)` is called when the reader wants another tab.
export function startTabs(choose) {
  const tabs = allTabs();
  for (const tab of tabs) {
    tab.addEventListener("click", () => choose(tab.dataset.slug));
    tab.addEventListener("keydown", (event) => {
      const target = tabs[placeAfter(event.key, tabs.indexOf(tab), tabs.length)];
      if (!target) return;
      event.preventDefault();
      choose(target.dataset.slug);
      target.focus();
    });
  }
}

export function openTab(slug) {
  for (const one of allTabs()) {
    const isOpen = one.dataset.slug === slug;
    one.setAttribute("aria-selected", String(isOpen));
    one.tabIndex = isOpen ? 0 : -1;
    document.getElementById(one.getAttribute("aria-controls")).classList.toggle("open", isOpen);
  }
}

function allTabs() {
  return [...document.querySelectorAll('[role="tab"]')];
}

// The end of a QoS's address, "#qos=avery"; of any name, even one with half a character.
export function addressOf(name) {
  return addressOfView(plainView({ qos: name }));
}

// The slug of the QoS that an address's end names, or null.
export function slugAt(hash, entries) {
  return slugOf(viewAt(hash).qos, entries);
}

export function slugOf(name, entries) {
  if (name === null) return null;
  return entries.find((entry) => tokenOf(entry.name) === tokenOf(name))?.slug ?? null;
}

// Which of `count` tabs a key leads to from `place`, or -1.
export function placeAfter(key, place, count) {
  const step = KEYS.get(key);
  if (step === undefined) return -1;
  if (step === "first") return 0;
  return step === "last" ? count - 1 : (place + step + count) % count;
}
