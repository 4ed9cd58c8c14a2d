// The table beside the page is compressed: where the browser can unpack it, a reader is handed a plain one.

import { closestTo, element } from "../common/dom.js";
import { answerOf, canPoll } from "./poll.js";

const SUFFIX = /\.gz$/;
const KEPT_MS = 60_000;
const TABLE_TYPE = "text/csv;charset=utf-8";

/** @type {() => void} */
export function startDownloads() {
  if (!canPoll() || !globalThis.DecompressionStream) return; // the link leads to the file as it is
  document.addEventListener("click", (event) => {
    const link = closestTo(event, "a[data-table]");
    const isPlain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
    if (!(link instanceof HTMLAnchorElement) || !isPlain || event.defaultPrevented) return;
    event.preventDefault();
    handOver(link);
  });
}

// Where anything goes wrong the browser loads the file itself, and tells what it makes of it.
/** @type {(link: HTMLAnchorElement) => Promise<void>} */
async function handOver(link) {
  const name = decodeURIComponent(link.getAttribute("href") ?? "");
  try {
    const answer = await answerOf(name);
    const made = URL.createObjectURL(await plainCsv(await answer.blob()));
    element("a", { href: made, download: name.replace(SUFFIX, "") }).click();
    setTimeout(() => URL.revokeObjectURL(made), KEPT_MS);
  } catch {
    location.assign(link.href);
  }
}

// Some servers unpack such a file on its way, so its first bytes are asked what it is.
/** @type {(blob: Blob) => Promise<Blob>} */
async function plainCsv(blob) {
  const [one, two] = new Uint8Array(await blob.slice(0, 2).arrayBuffer());
  if (one !== 0x1f || two !== 0x8b) return new Blob([blob], { type: TABLE_TYPE });
  const stream = blob.stream().pipeThrough(new DecompressionStream("gzip"));
  return new Blob([await new Response(stream).arrayBuffer()], { type: TABLE_TYPE });
}
