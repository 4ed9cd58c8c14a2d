// The data that came inside the page: long rows of numbers are short texts in them, as
// librarian/render/json/run_length.py says.

const MARK = "*";
const ASTERISKS = /^\*+$/;

// A text of such JSON as the value that it was made of.
/** @type {(text: string) => any} */
export function readEncoded(text) {
  return decoded(JSON.parse(text));
}

// The value with its rows as arrays again. Objects are made from entries, so that a key may be called "__proto__".
/** @type {(value: any) => any} */
export function decoded(value) {
  if (Array.isArray(value)) return value.map(decoded);
  if (typeof value !== "object" || value === null) return value;
  if (Object.hasOwn(value, MARK)) return decodedRow(value[MARK]);
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [ASTERISKS.test(key) ? key.slice(1) : key, decoded(item)]),
  );
}

// "1*3 2.5 null*2" is [1, 1, 1, 2.5, null, null].
/** @type {(text: string) => (number | null)[]} */
function decodedRow(text) {
  const row = [];
  for (const run of text.split(" ")) {
    const [item, count] = run.split(MARK);
    const number = item === "null" ? null : Number(item);
    for (let left = count === undefined ? 1 : Number(count); left > 0; left -= 1) row.push(number);
  }
  return row;
}
