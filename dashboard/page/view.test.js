import assert from "node:assert/strict";
import { test } from "node:test";
import { MOST_LAYERS, tokenOf } from "../common/users.js";
import { addressOfView, plainView, viewAt } from "./view.js";

test("a plain view needs no address", () => {
  assert.equal(addressOfView(plainView()), "");
  for (const hash of ["", "#", "#&&", "#=", "#avery", "#%", "#qos="]) assert.deepEqual(viewAt(hash), plainView());
});

test("the address says what is not plain, in words", () => {
  const view = plainView({
    qos: "avery",
    range: "7d",
    top: 20,
    zone: "mine",
    only: ["alice", "bob"],
    theme: "dark",
    table: { sort: "user" },
  });
  assert.equal(
    addressOfView(view),
    "#qos=avery&range=7d&top=20&zone=mine&only=alice&only=bob&theme=dark&table.sort=user",
  );
  const span = plainView({ from: 1795201800, to: 1795288201 });
  assert.equal(addressOfView(span), "#from=2026-11-20T19:10Z&to=2026-11-21T19:10:01Z");
});

test("an address gives the view back that it was made of", () => {
  const names = [
    "a & b+c=d/ü#",
    "__proto__",
    "constructor",
    "%41",
    "*",
    "**",
    "x,y",
    "<script>",
    " spaced ",
    "用户",
  ].map(tokenOf);
  const views = [
    plainView({ qos: "a & b+c=d/ü#" }),
    ...["6h", "12h", "24h", "3d", "7d", "14d", "30d"].map((range) => plainView({ range })),
    plainView({ from: 0, to: 1 }),
    plainView({ from: 1795201800, to: 1795201861, hidden: names, pinned: names, only: names }),
    plainView({
      hidden: ["*"],
      top: 5,
      zone: "mine",
      theme: "system",
      table: { sort: "-hours", "totals-filter": "a=b&c" },
    }),
  ];
  for (const view of views) assert.deepEqual(viewAt(addressOfView(view)), view);
});

test("what makes no sense is left out, the rest holds", () => {
  const nonsense = [
    "range=8d",
    "range=constructor",
    "range=",
    "from=5",
    "to=5",
    "from=9&to=5",
    "from=5&to=5",
    "from=-1&to=5",
    "from=x&to=9",
    "from=1e3&to=1e9",
    "from=2026-13-01T00:00Z&to=2026-12-01T00:00Z",
    "from=1&to=999999999999",
    "from=2026-11-20T14:10&to=2026-11-21T14:10",
    "top=-5",
    "top=many",
    "top=1e9",
    "top=5.5",
    "zone=Mars",
    "theme=red",
    "theme=dark;x",
    "hide=",
    `pin=${"u".repeat(400)}`,
    "table.=x",
    "table.<b>=x",
    "__proto__=x",
    "constructor=x",
    "hash=1",
    "table.__proto__=x",
  ];
  for (const one of nonsense) assert.deepEqual(viewAt(`#qos=avery&${one}`), plainView({ qos: "avery" }), one);
  assert.deepEqual(viewAt("#range=7d&from=9&to=5"), plainView({ range: "7d" }));
});

test("there is an end to everything", () => {
  assert.equal(viewAt("#top=99").top, MOST_LAYERS);
  assert.equal(viewAt("#top=0").top, 1);
  const many = Array.from({ length: 5000 }, (_, place) => `hide=u${place}&table.k${place}=v`).join("&");
  assert.equal(viewAt(`#${many}`).hidden.length, 100);
  assert.equal(Object.keys(viewAt(`#${many}`).table).length, 20);
  assert.deepEqual(viewAt("#pin=a&pin=a&pin=b").pinned, ["a", "b"]);
});

test("from and to stand above a range", () => {
  assert.deepEqual(viewAt("#range=7d&from=60&to=120"), plainView({ from: 60, to: 120 }));
});

test("the others have a token of their own, whatever users are called", () => {
  assert.equal(tokenOf("alice"), "alice");
  assert.equal(tokenOf("*"), "**");
  assert.equal(tokenOf("broken\udcff"), "broken\ufffd");
  assert.equal(tokenOf("🦉"), "🦉");
});
