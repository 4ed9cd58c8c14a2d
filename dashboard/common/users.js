// Who is meant: what stands for a user, or for all others, in a view and in its address.

export const MOST_LAYERS = 50; // more areas than that nobody tells apart, and a browser draws them slowly
export const OTHERS = "*"; // stands for the area of all who have none of their own

// What stands for a user in a view.
/** @type {(name: string) => string} */
export function tokenOf(name) {
  const sayable = name.replace(/\p{Cs}/gu, "\ufffd");
  return sayable.startsWith(OTHERS) ? OTHERS + sayable : sayable;
}
