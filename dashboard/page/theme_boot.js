// Runs before anything is painted: with a script to open them, all tabs but one start closed; and the theme is there at
// once. A script of its own, not one of the page's modules: theme.js does the same later.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  let theme = /[#&]theme=(light|dark|system)(?:&|$)/.exec(location.hash)?.[1] ?? null;
  try {
    theme ??= localStorage.getItem("librarian-theme");
  } catch {
    // a page from a file may not ask
  }
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
})();
