import assert from "node:assert/strict";
import { test } from "node:test";
import { sameTabs } from "./poll.js";
import { placeAfter, slugOf } from "./tabs.js";
import { addressOfView, plainView, viewAt } from "./view.js";

const ENTRIES = [
  { name: "avery", slug: "avery", title: "Avery", data: "data_avery.json" },
  { name: "a & b+c=d/ü#", slug: "a_b", title: "Odd", data: null },
  { name: "broken\udcff", slug: "broken", title: "Broken", data: null },
];

const addressOf = (name) => addressOfView(plainView({ qos: name }));
const slugAt = (hash) => slugOf(viewAt(hash).qos, ENTRIES);

test("the address names a QoS, whatever it is called", () => {
  for (const { name, slug } of ENTRIES.slice(0, 2)) {
    assert.equal(slugAt(addressOf(name)), slug);
    assert.equal(slugAt(`#qos=${encodeURIComponent(name)}`), slug);
  }
  for (const hash of ["", "#", "#qos=", "#qos=other", "#avery", "#qos=%"]) assert.equal(slugAt(hash), null);
});

test("a name with half a character has an address too", () => {
  assert.equal(slugAt(addressOf("broken\udcff")), "broken");
});

test("arrows lead round, Home and End to the ends, other keys nowhere", () => {
  assert.deepEqual(
    ["ArrowRight", "ArrowLeft", "Home", "End", "a"].map((key) => placeAfter(key, 0, 3)),
    [1, 2, 0, 2, -1],
  );
  assert.equal(placeAfter("ArrowRight", 2, 3), 0);
});

test("the page must be made anew when a QoS comes, goes, gets a title or its first data", () => {
  const index = { qos: ENTRIES };
  const changes = [
    ENTRIES.slice(1),
    [...ENTRIES, { slug: "x" }],
    ENTRIES.with?.(0, { ...ENTRIES[0], title: "Other" }),
    [{ ...ENTRIES[0], data: null }, ...ENTRIES.slice(1)],
  ];
  for (const qos of changes) assert.ok(!sameTabs({ qos }, index));
  assert.ok(sameTabs({ generated_at: 5, qos: ENTRIES.map((entry) => ({ ...entry, stale: true })) }, index));
});
