// The data that came inside the page or as a script: long rows are short texts in them, as
// librarian/render/json/run_length.py says.

const MARK = "*";
const ASTERISKS = /^\*+$/;
const PARTS_OF_HOUR = 3600;
const DIGITS = 7;

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
  if (Object.hasOwn(value, MARK)) return decodedRow(value);
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [ASTERISKS.test(key) ? key.slice(1) : key, decoded(item)]),
  );
}

/** @type {(value: { "*": string, of?: (string | null)[], minutes?: string }) => any[]} */
function decodedRow({ [MARK]: text, of, minutes }) {
  const row = numbersOf(text);
  if (of) return row.map((place) => of[Number(place)]);
  if (minutes === undefined) return row;
  const offsets = numbersOf(minutes);
  return row.map((epoch, place) => isoWithOffset(Number(epoch), Number(offsets[place])));
}

// "1*3 2.5 null*2 7200/ 10~5*3" is [1, 1, 1, 2.5, null, null, 2, 10, 15, 20].
/** @type {(text: string) => (number | null)[]} */
function numbersOf(text) {
  const row = [];
  for (const run of text.split(" ")) {
    const [item, count] = run.split(MARK);
    const [begin, step] = item.split("~");
    const times = count === undefined ? 1 : Number(count);
    const number = item === "null" ? null : step === undefined ? hourlyOrPlain(item) : Number(begin);
    for (let place = 0; place < times; place += 1) {
      row.push(step === undefined || number === null ? number : number + Number(step) * place);
    }
  }
  return row;
}

/** @type {(item: string) => number} */
function hourlyOrPlain(item) {
  if (!item.endsWith("/")) return Number(item);
  return Number((Number(item.slice(0, -1)) / PARTS_OF_HOUR).toPrecision(DIGITS));
}

/** @type {(epoch: number, minutes: number) => string} */
function isoWithOffset(epoch, minutes) {
  const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
  const size = Math.abs(minutes);
  const clock = new Date((epoch + 60 * minutes) * 1000).toISOString().slice(0, 19);
  return `${clock}${minutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}
