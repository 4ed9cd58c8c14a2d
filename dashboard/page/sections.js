// The sections of a panel, which one reaches by name: the navigation, and which of them is in view.

import { closestTo } from "../common/dom.js";

const IN_VIEW = 0.35; // of the window's height: a section whose head is above that is in view

// `choose(section)` is called when the reader wants to go to one.
/** @type {(choose: (section: string) => void) => void} */
export function startSections(choose) {
  document.addEventListener("click", (event) => {
    const link = closestTo(event, "a[data-to]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    choose(link.dataset.to ?? "");
  });
  let asked = false;
  const look = () => {
    asked = false;
    tellCurrent();
  };
  const askLook = () => {
    if (!asked) requestAnimationFrame(look);
    asked = true;
  };
  addEventListener("scroll", askLook, { passive: true });
  addEventListener("resize", askLook, { passive: true });
  // data that come late make a section longer, and what was in view is not any more
  new ResizeObserver(askLook).observe(document.body);
}

// Brings a section of the panel, or a table by its name, into view; the first section is the top of the page.
/** @type {(panel: HTMLElement, section: string | null) => void} */
export function goTo(panel, section) {
  const wanted = sectionNamed(panel, section);
  if (!wanted) return;
  if (wanted === sectionsOf(panel)[0]) scrollTo({ top: 0 });
  else wanted.scrollIntoView({ block: "start" });
  tellCurrent();
}

// Who uses the keyboard, or listens, goes on from there.
/** @type {(panel: HTMLElement, section: string) => void} */
export function focusOn(panel, section) {
  const wanted = sectionNamed(panel, section);
  if (!wanted) return;
  wanted.tabIndex = -1;
  wanted.focus({ preventScroll: true });
}

/** @type {(panel: HTMLElement, section: string | null) => HTMLElement | undefined} */
function sectionNamed(panel, section) {
  const tables = /** @type {NodeListOf<HTMLElement>} */ (panel.querySelectorAll(".tables > section"));
  return (
    sectionsOf(panel).find((one) => one.dataset.part === section) ??
    [...tables].find((one) => section !== null && one.classList.contains(section))
  );
}

// The ways to sections as addresses, to open elsewhere or to send to somebody.
/** @type {(addressOf: (section: string) => string) => void} */
export function showWays(addressOf) {
  for (const link of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("a[data-to]"))) {
    link.setAttribute("href", addressOf(link.dataset.to ?? "") || location.pathname + location.search);
  }
}

// The navigation has what the open panel has, and marks what is in view.
/** @type {() => void} */
export function tellCurrent() {
  const panel = document.querySelector('[role="tabpanel"].open');
  const sections = panel instanceof HTMLElement ? sectionsOf(panel) : [];
  const top = IN_VIEW * innerHeight;
  const atEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 2;
  const above = sections.filter((one) => one.getBoundingClientRect().top <= top);
  const current = (atEnd && scrollY > 0 ? sections : above).at(-1) ?? sections[0];
  const navigation = document.querySelector(".sections");
  if (navigation instanceof HTMLElement) navigation.hidden = !sections.length;
  for (const link of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".sections a"))) {
    const isThere = sections.some((one) => one.dataset.part === link.dataset.to);
    if (link.parentElement) link.parentElement.hidden = !isThere;
    if (current && link.dataset.to === current.dataset.part) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

// Those that show something.
/** @type {(panel: HTMLElement) => HTMLElement[]} */
function sectionsOf(panel) {
  const all = /** @type {NodeListOf<HTMLElement>} */ (panel.querySelectorAll("[data-part]"));
  return [...all].filter((one) => one.getClientRects().length > 0);
}
