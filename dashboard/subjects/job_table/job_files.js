// The files of days with jobs: scripts beside the page, which load from a server as well as from disk, or inside a
// copy.

const FORM = 1;
/** @type {Map<string, Promise<any>>} */
const jobDocuments = new Map(); // name of a file -> its document; another content has another name

// The document of a file, once it has come. Throws an error with a sentence for the reader.
/** @type {(name: string) => Promise<any>} */
export function jobDocument(name) {
  const known = jobDocuments.get(name);
  if (known) return known;
  const coming = documentIn(name);
  jobDocuments.set(name, coming);
  coming.catch(() => jobDocuments.delete(name));
  return coming;
}

/** @type {(name: string) => Promise<any>} */
async function documentIn(name) {
  const inside = document.querySelector(`script[data-piece="${CSS.escape(name)}"]`);
  const packed = inside?.textContent?.trim() ?? (await packedText(name));
  const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  if (!globalThis.DecompressionStream) throw new Error("this browser cannot unpack it");
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const doc = JSON.parse(await new Response(stream).text());
  if (doc?.form !== FORM) throw new Error(`${name} is of another version than this page`);
  return doc;
}

/** @type {(name: string) => Promise<string>} */
function packedText(name) {
  return new Promise((done, failed) => {
    const script = document.createElement("script");
    script.addEventListener("error", () => failed(new Error(`${name} is missing`)));
    script.addEventListener("load", () => {
      script.remove();
      const text = globalThis.librarianJobs?.get(name);
      globalThis.librarianJobs?.delete(name);
      if (typeof text === "string") done(text);
      else failed(new Error(`${name}: not data`));
    });
    script.src = encodeURIComponent(name);
    document.head.append(script);
  });
}
