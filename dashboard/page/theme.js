// Light, dark, or as the system: what the address says, else what this browser was told last. theme_boot.js does the
// same before anything is painted.

import { element } from "../common/dom.js";
import { THEMES } from "./view.js";

const STORED = "librarian-theme";
/** @type {Texts} */
const NAMES = { system: "As the system", light: "Light", dark: "Dark" };

// {part, show}: a choice for the page's head; `chosen(theme)` is called with what the reader picks, which is kept.
/** @type {(chosen: (theme: string) => void) => { part: HTMLElement, show: (view: View) => void }} */
export function themeTools(chosen) {
  const select = element(
    "select",
    {},
    THEMES.map((theme) => element("option", { value: theme }, NAMES[theme])),
  );
  select.addEventListener("change", () => {
    keep(select.value);
    chosen(select.value);
  });
  const part = element("label", {}, ["Theme ", select]);
  return { part, show: (view) => (select.value = themeOf(view)) };
}

/** @type {(view: View) => void} */
export function applyTheme(view) {
  const theme = themeOf(view);
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

/** @type {(view: View) => string} */
function themeOf(view) {
  return view.theme ?? kept();
}

// A page from a file, or in a browser that keeps nothing, may not ask.
/** @type {() => string} */
function kept() {
  try {
    const theme = localStorage.getItem(STORED) ?? "";
    return THEMES.includes(theme) ? theme : "system";
  } catch {
    return "system";
  }
}

/** @type {(theme: string) => void} */
function keep(theme) {
  try {
    localStorage.setItem(STORED, theme);
  } catch {
    // then it holds for this visit
  }
}
