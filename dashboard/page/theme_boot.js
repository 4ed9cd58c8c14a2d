// Runs before anything is painted: with a script to open them, all tabs but one start closed; and the theme is there at
// once. A script of its own, not one of the page's modules: theme.js does the same later. Where the page's script does
// not come, all is open, and the page says so.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const missed = (/** @type {Event} */ { target }) => {
    if (target instanceof HTMLScriptElement && target.id === "page") root.classList.replace("js", "no-page");
  };
  addEventListener("error", missed, true);
  let theme = /[#&]theme=(light|dark|system)(?:&|$)/.exec(location.hash)?.[1] ?? null;
  try {
    theme ??= localStorage.getItem("librarian-theme");
  } catch {
    // a page from a file may not ask
  }
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
})();
