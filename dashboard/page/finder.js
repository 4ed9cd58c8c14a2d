// The controls of users: how many of the first have an area of their own, and all of them again.

import { element, fill } from "../common/dom.js";
import { MOST_LAYERS } from "../common/users.js";

const STEPS = [5, 8, 12, 20, 30];

// {parts, show} as in toolbar.js.
/** @type {(change: Change) => Tools} */
export function userTools(change) {
  const top = topTools(change);
  const all = element("button", { type: "button", class: "all" }, "Show all");
  all.addEventListener("click", () => change({ hidden: [], only: [] }));
  /** @type {Tool["show"]} */
  const show = (viewModel, view) => {
    top.show(viewModel, view);
    all.hidden = viewModel.shown.length === viewModel.stack.length;
  };
  return { parts: [element("div", { class: "users" }, [top.part, all])], show };
}

/** @type {(change: Change) => Tool} */
function topTools(change) {
  const select = element("select", {});
  /** @type {number | null} */
  let standard = null;
  select.addEventListener("change", () =>
    change({ top: Number(select.value) === standard ? null : Number(select.value) }),
  );
  /** @type {Tool["show"]} */
  const show = ({ data, stack }, view) => {
    const first = data.metadata.top_users;
    standard = first;
    const users = stack.reduce((sum, layer) => sum + layer.users, 0);
    const numbers = topChoices(users, first);
    const now = view.top ?? first;
    fill(
      select,
      numbers.map((number) => element("option", { value: number }, number >= users ? "all" : String(number))),
    );
    select.value = String(numbers.find((number) => number >= now) ?? numbers.at(-1));
  };
  return { part: element("label", {}, ["Show first ", select]), show };
}

// How many areas are offered where there are so many users: all of them is the last, as long as that is not too many.
/** @type {(users: number, standard: number) => number[]} */
export function topChoices(users, standard) {
  const numbers = [...new Set([...STEPS, standard])].filter((number) => number < users && number < MOST_LAYERS);
  return [...numbers, MOST_LAYERS].sort((one, other) => one - other);
}
