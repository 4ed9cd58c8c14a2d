// A tab for each QoS; the address names the one that is open, so that it can be shared: #qos=avery.

const KEYS = new Map([["ArrowRight", 1], ["ArrowLeft", -1], ["Home", "first"], ["End", "last"]]);

// Opens the tab that the address names, else the first; `opened(slug)` is called whenever a tab is opened.
export function startTabs(entries, opened) {
  const tabs = [...document.querySelectorAll('[role="tab"]')];
  const open = (tab) => {
    for (const one of tabs) {
      one.setAttribute("aria-selected", String(one === tab));
      one.tabIndex = one === tab ? 0 : -1;
      document.getElementById(one.getAttribute("aria-controls")).classList.toggle("open", one === tab);
    }
    opened(tab.dataset.slug);
  };
  const choose = (tab) => {
    const entry = entries.find((one) => one.slug === tab.dataset.slug);
    history.replaceState(null, "", addressOf(entry.name));
    open(tab);
  };
  const follow = () => {
    const slug = slugAt(location.hash, entries);
    open(tabs.find((tab) => tab.dataset.slug === slug) ?? tabs[0]);
  };
  for (const tab of tabs) {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", (event) => {
      const target = tabs[placeAfter(event.key, tabs.indexOf(tab), tabs.length)];
      if (!target) return;
      event.preventDefault();
      choose(target);
      target.focus();
    });
  }
  addEventListener("hashchange", follow);
  if (tabs.length) follow();
}

// The end of a QoS's address, "#qos=avery"; of any name, even one with half a character, which encodeURIComponent refuses.
export function addressOf(name) {
  return `#${new URLSearchParams({ qos: name })}`;
}

// The slug of the QoS that an address's end names, or null.
export function slugAt(hash, entries) {
  const wanted = addressOf(new URLSearchParams(hash.slice(1)).get("qos") ?? "");
  return entries.find((entry) => addressOf(entry.name) === wanted)?.slug ?? null;
}

// Which of `count` tabs a key leads to from `place`, or -1.
export function placeAfter(key, place, count) {
  const step = KEYS.get(key);
  if (step === undefined) return -1;
  if (step === "first") return 0;
  return step === "last" ? count - 1 : (place + step + count) % count;
}
