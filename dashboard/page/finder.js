// The controls of users: how many of the first have an area of their own, and finding one among all.

import { element, fill } from "../common/dom.js";
import { visible } from "../common/format.js";
import { MOST_LAYERS, tokenOf } from "../common/users.js";
import { plainView } from "./view.js";

const STEPS = [5, 8, 12, 20, 30];

// {parts, show} as in toolbar.js.
/** @type {(change: Change, tell: Say) => Tools} */
export function userTools(change, tell) {
  const top = topTools(change);
  const search = searchTools(change, tell);
  const all = element("button", { type: "button", class: "all" }, "Show all");
  all.addEventListener("click", () => change({ hidden: [], only: [] }));
  /** @type {Tool["show"]} */
  const show = (viewModel, view) => {
    [top, search].forEach((tools) => tools.show(viewModel, view));
    all.hidden = viewModel.shown.length === viewModel.stack.length;
  };
  return { parts: [element("div", { class: "users" }, [top.part, search.part, all])], show };
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

/** @type {(change: Change, tell: Say) => Tool} */
function searchTools(change, tell) {
  const list = element("datalist", { id: "users" });
  const field = element("input", {
    type: "search",
    list: "users",
    placeholder: "Find a user",
    "aria-label": "Find a user",
    autocomplete: "off",
    spellcheck: "false",
  });
  /** @type {View | null} */
  let view = null;
  /** @type {string[]} */
  let users = [];
  const take = () => {
    const found = foundUser(users, field.value);
    if (found === null) {
      return tell(field.value.trim() ? `No user here is called “${visible(field.value.trim())}”.` : "");
    }
    const { pinned, hidden, only } = view ?? plainView();
    const token = tokenOf(found);
    const others = (/** @type {string[]} */ tokens) => tokens.filter((one) => one !== token);
    field.value = "";
    change({
      pinned: [...others(pinned), token],
      hidden: others(hidden),
      only: only.length ? [...others(only), token] : [],
    });
    return tell(`${visible(found)} has an area of their own now.`);
  };
  field.addEventListener("keydown", (event) => event.key === "Enter" && take());
  // a choice from the list comes without keys
  field.addEventListener(
    "input",
    (event) =>
      (event.inputType ?? "insertReplacementText") === "insertReplacementText" &&
      foundUser(users, field.value) !== null &&
      take(),
  );
  /** @type {Tool["show"]} */
  const show = (viewModel, now) => {
    view = now;
    if (users === viewModel.data.users) return;
    users = viewModel.data.users;
    fill(
      list,
      users.map((user) => element("option", { value: visible(user) })),
    );
  };
  return { part: element("div", { class: "find" }, [field, list]), show };
}

// The user who is meant: by the whole name, else by a part that only one of them has; null for none.
/** @type {(users: string[], text: string) => string | null} */
export function foundUser(users, text) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return null;
  const names = users.map((user) => visible(user).toLowerCase());
  const exact = names.indexOf(wanted);
  if (exact >= 0) return users[exact];
  const some = users.filter((_, place) => names[place].includes(wanted));
  return some.length === 1 ? some[0] : null;
}
