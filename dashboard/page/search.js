// The one field that finds what a page tells of by its name: users, and what subjects bring, such as accounts and the
// reasons for which jobs wait; and the sections.

import { element, fill } from "../common/dom.js";
import { visible } from "../common/format.js";
import { tokenOf } from "../common/users.js";
import { foundIn, listedAs } from "./found.js";
import { isJobId } from "./view.js";

const LIST = "findable";

// {part, show(viewModel, view)}. `change` takes the part of the view that is asked for, `tell` a sentence for the
// reader.
/** @type {(change: Change, tell: Say, finds: (data: Data) => Found[]) => Tool} */
export function searchTools(change, tell, finds) {
  const list = element("datalist", { id: LIST });
  const field = element("input", {
    type: "search",
    list: LIST,
    placeholder: "Find ( / )",
    "aria-label": "Find a user, an account, a reason, a section or a job by its id",
    "aria-keyshortcuts": "/",
    autocomplete: "off",
    spellcheck: "false",
  });
  /** @type {View | null} */
  let view = null;
  /** @type {Data | null} */
  let data = null;
  /** @type {Found[]} */
  let known = [];
  const take = () => {
    const text = field.value.trim();
    const found = foundIn(known, text);
    if (!found && isJobId(text) && data?.job_table) {
      field.value = "";
      return change({ job: text, section: "jobs" });
    }
    if (!found || !view) return tell(text ? `No match for “${visible(text)}”.` : "");
    field.value = "";
    change(found.change(view));
    return tell(found.said ?? "");
  };
  field.addEventListener("keydown", (event) => event.key === "Enter" && take());
  // a choice from the list comes without keys
  field.addEventListener(
    "input",
    (event) =>
      (event.inputType ?? "insertReplacementText") === "insertReplacementText" &&
      foundIn(known, field.value.trim()) !== null &&
      take(),
  );
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return;
    event.preventDefault();
    field.focus();
  });
  /** @type {Tool["show"]} */
  const show = (viewModel, now) => {
    view = now;
    if (data === viewModel.data) return;
    data = viewModel.data;
    known = [...data.users.map(userFound), ...finds(data), ...sections()];
    fill(
      list,
      known.map((one) => element("option", { value: listedAs(one), label: one.kind })),
    );
  };
  return { part: element("div", { class: "find", role: "search" }, [field, list]), show };
}

/** @type {(target: EventTarget | null) => boolean} */
function isWriting(target) {
  return (
    target instanceof Element && target.closest("input:not([type=checkbox]), textarea, [contenteditable]") !== null
  );
}

// Who is found gets an area of their own, and is shown.
/** @type {(user: string) => Found} */
function userFound(user) {
  const token = tokenOf(user);
  const others = (/** @type {string[]} */ tokens) => tokens.filter((one) => one !== token);
  return {
    name: user,
    kind: "user",
    said: `${visible(user)} has an area of their own now.`,
    change: ({ pinned, hidden, only }) => ({
      pinned: [...others(pinned), token],
      hidden: others(hidden),
      only: only.length ? [...others(only), token] : [],
    }),
  };
}

// Those that the navigation has now.
/** @type {() => Found[]} */
function sections() {
  const links = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".sections a"));
  return [...links].map((link) => ({
    name: link.textContent ?? "",
    kind: "section",
    change: () => ({ section: link.dataset.to ?? null }),
  }));
}
