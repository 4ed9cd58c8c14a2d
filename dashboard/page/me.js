// Who the reader is: said once, and kept by this browser; the address says it where the reader wants that.

import { element } from "../common/dom.js";
import { visible } from "../common/format.js";
import { tokenOf } from "../common/users.js";

const STORED_ME = "librarian-me";
const LONGEST_ME = 300;
let saidMe = /** @type {string | null} */ (null); // for this visit, where nothing is kept

// The token of the reader: what the address says, else what this browser was told last; null for nobody.
/** @type {(view: View) => string | null} */
export function meOf(view) {
  return view.me ?? keptMe();
}

// {part, show}: a choice for the page's head. `change` takes the part of the view that changes.
/** @type {(change: Change) => Tool} */
export function meTools(change) {
  const words = element("summary", {});
  const field = element("input", {
    list: "findable",
    placeholder: "your user name",
    "aria-label": "Your user name",
    autocomplete: "off",
    spellcheck: "false",
  });
  const inAddress = element("input", { type: "checkbox" });
  /** @type {View | null} */
  let view = null;
  const take = () => {
    const token = tokenOf(field.value.trim().slice(0, LONGEST_ME)) || null;
    if (!view || token === meOf(view)) return;
    keepMe(token);
    change({ me: inAddress.checked ? token : null });
  };
  field.addEventListener("change", take);
  inAddress.addEventListener("change", () => view && change({ me: inAddress.checked ? meOf(view) : null }));
  const part = element("details", { class: "me" }, [
    words,
    element("p", {}, [field, element("label", {}, [inAddress, " include in the link"])]),
    element("p", { class: "quiet" }, "Your rows come first and are highlighted in every table and chart."),
  ]);
  /** @type {Tool["show"]} */
  const show = (viewModel, now) => {
    view = now;
    const me = meOf(now);
    const who = viewModel.me ?? me;
    words.textContent =
      who === null ? "You: not set" : `You: ${visible(who)}${viewModel.me ? "" : " (not in this QoS)"}`;
    if (field !== document.activeElement) field.value = who === null ? "" : visible(who);
    inAddress.checked = now.me !== null;
    inAddress.disabled = me === null;
  };
  return { part, show };
}

// A page from a file, or in a browser that keeps nothing, may not ask.
/** @type {() => string | null} */
function keptMe() {
  try {
    return localStorage.getItem(STORED_ME) || saidMe;
  } catch {
    return saidMe;
  }
}

/** @type {(token: string | null) => void} */
function keepMe(token) {
  saidMe = token;
  try {
    if (token === null) localStorage.removeItem(STORED_ME);
    else localStorage.setItem(STORED_ME, token);
  } catch {
    // then it holds for this visit
  }
}
