// Those who have no rows of their own, where there are very many users: in the data one name stands for all of them.

import { amount, counted, shownName } from "./format.js";

// Whether this is that name.
/** @type {(data: Data, user: string | null) => boolean} */
export function isOthers(data, user) {
  return Boolean(data.others) && data.others?.name === user;
}

// What a user is called in a table of the data (`others.users` has them by name), or in one of a part of them (null).
/** @type {(data: Data, user: string, table: string | null) => string} */
export function personName(data, user, table) {
  if (!isOthers(data, user)) return shownName(user);
  const count = table === null ? null : countIn(data, table);
  return count === null ? "others" : `${amount(count)} ${count === 1 ? "other" : "others"}`;
}

// How many people these users of a table are, in words.
/** @type {(data: Data, users: string[], table: string | null) => string} */
export function peopleWords(data, users, table) {
  if (table === null && users.some((user) => isOthers(data, user))) {
    return `${counted(users.length - 1, "user")} and others`;
  }
  return counted(peopleIn(data, users, table ?? ""), "user");
}

// How many people these users of a table are.
/** @type {(data: Data, users: string[], table: string) => number} */
export function peopleIn(data, users, table) {
  return users.reduce((sum, user) => sum + (isOthers(data, user) ? (countIn(data, table) ?? 1) : 1), 0);
}

// The same users with the others, if they are among them, behind everybody.
/** @type {(data: Data, users: string[]) => string[]} */
export function othersLast(data, users) {
  return [...users.filter((user) => !isOthers(data, user)), ...users.filter((user) => isOthers(data, user))];
}

/** @type {(data: Data, table: string) => number | null} */
function countIn(data, table) {
  return data.others && Object.hasOwn(data.others.users, table) ? data.others.users[table] : null;
}
