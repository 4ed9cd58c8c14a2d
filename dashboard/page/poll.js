// Data from where the page came from: files of the server, which answers "not modified" where nothing changed, or
// scripts that leave them, where the page was opened from disk and may read no files.

const TIMEOUT_MS = 120_000; // for all of a file: some people's lines are slow

// A copy of the page that has everything in it stays as it is.
/** @type {() => boolean} */
export function isCopy() {
  return document.documentElement.hasAttribute("data-copy");
}

// From file:// a page may not read the files beside it.
/** @type {() => boolean} */
export function canPoll() {
  if (isCopy()) return false;
  return location.protocol === "http:" || location.protocol === "https:";
}

// What the server answers for a file beside the page. Throws an error with a sentence for the reader.
/** @type {(name: string) => Promise<Response>} */
export async function answerOf(name) {
  let answer;
  try {
    answer = await fetch(encodeURIComponent(name), { cache: "no-cache", signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch {
    throw new Error(`${name}: no answer`);
  }
  if (!answer.ok) throw new Error(`${name}: the server answered ${answer.status}`);
  return answer;
}

// The text of a file beside the page; throws as `answerOf` does.
/** @type {(name: string) => Promise<string>} */
export async function textOf(name) {
  const answer = await answerOf(name);
  try {
    return await answer.text();
  } catch {
    throw new Error(`${name}: the answer broke off`);
  }
}

// The encoded data of a QoS that its script leaves; throws as `answerOf` does.
/** @type {(entry: Entry) => Promise<string>} */
export function scriptedTextOf({ slug, data, script: name }) {
  return new Promise((done, failed) => {
    const missing = new Error(`${name ?? data} is missing`);
    if (!name) {
      failed(missing);
      return;
    }
    const script = document.createElement("script");
    script.addEventListener("error", () => failed(missing));
    script.addEventListener("load", () => {
      script.remove();
      const text = globalThis.librarianReports?.get(slug);
      globalThis.librarianReports?.delete(slug);
      if (typeof text === "string") done(text);
      else failed(new Error(`${name}: not data`));
    });
    script.src = encodeURIComponent(name);
    document.head.append(script);
  });
}

// The index, parsed; throws as `textOf` does, and where it is something else.
/** @type {(version: number) => Promise<SiteIndex>} */
export async function newIndex(version) {
  const index = parsed(await textOf("index.json"));
  if (index?.schema_version !== version || !Array.isArray(index.qos)) {
    throw new Error("index.json: not an index that this page reads");
  }
  return index;
}

/** @type {(text: string) => any} */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("index.json: not JSON");
  }
}

// Whether the tabs, which are made with the page, still fit the index.
/** @type {(one: SiteIndex, other: SiteIndex) => boolean} */
export function sameTabs(one, other) {
  const tabs = (/** @type {SiteIndex} */ index) =>
    JSON.stringify(index.qos.map((entry) => [entry.slug, entry.title, Boolean(entry.data)]));
  return tabs(one) === tabs(other);
}
