import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  ago,
  amount,
  binName,
  counted,
  lasting,
  percent,
  plotlyText,
  shownName,
  timeOfDay,
  visible,
  zoned,
  zonedDay,
} from "./format.js";

const cases = JSON.parse(readFileSync(new URL("../../tests/data/numbers.json", import.meta.url), "utf8"));
const tellers = { amount, percent, lasting, counted };

for (const [name, rows] of Object.entries(cases)) {
  test(`numbers read as in the program: ${name}`, () => {
    assert.ok(rows.length);
    for (const [...given] of rows) {
      const text = given.pop();
      assert.equal(tellers[name](...given), text, `${name}(${given})`);
    }
  });
}

test("what is no number is not told as one", () => {
  for (const value of [NaN, Infinity, -Infinity, undefined]) assert.equal(amount(value), "–");
  assert.equal(percent(NaN, 1), "–");
  assert.equal(percent(1, null), "–");
});

test("amounts have as many digits as a person reads", () => {
  const read = {
    0: "0",
    0.25: "0.25",
    4: "4",
    9.876: "9.88",
    64.5: "64.5",
    99.44: "99.4",
    430: "430",
    3359.5: "3,360",
    1234567: "1,234,567",
  };
  for (const [value, text] of Object.entries(read)) assert.equal(amount(Number(value)), text);
});

test("next to nothing is not nothing", () => {
  assert.equal(amount(0.001), "< 0.01");
  assert.equal(amount(0.005), "0.01");
  assert.equal(percent(1, 100_000), "< 0.1 %");
  assert.equal(percent(0, 100), "0 %");
});

test("a share of nothing is no number", () => {
  assert.equal(percent(0, 0), "–");
  assert.equal(percent(3, 0), "–");
  assert.equal(percent(1, 3), "33 %");
  assert.equal(percent(1, 20), "5 %");
  assert.equal(percent(997, 10_000), "10 %");
  assert.equal(percent(7, 7), "100 %");
  assert.equal(percent(428, 430), "> 99 %");
  assert.equal(percent(99.4, 100), "99 %");
});

test("counts agree with their noun", () => {
  assert.equal(counted(1, "user"), "1 user");
  assert.equal(counted(0, "user"), "0 users");
  assert.equal(counted(1200, "record"), "1,200 records");
});

test("ages in the largest whole unit", () => {
  assert.equal(ago(-30), "just now"); // the reader's clock is behind the server's
  assert.equal(ago(59), "just now");
  assert.equal(ago(60), "1 min ago");
  assert.equal(ago(3599), "59 min ago");
  assert.equal(ago(3600), "1 h ago");
  assert.equal(ago(2 * 86400), "2 days ago");
});

test("times are told in the cluster's zone, before and after the clocks go back", () => {
  assert.equal(zoned(1793512800, "US/Eastern"), "Sun, Nov 1, 01:00 EST");
  assert.equal(zoned(1793509200, "US/Eastern"), "Sun, Nov 1, 01:00 EDT");
  assert.equal(zoned(1793505600, "US/Eastern"), "Sun, Nov 1, 00:00 EDT"); // not 24:00
  assert.equal(timeOfDay(1793505600, "US/Eastern"), "00:00");
});

test("in a zone that the browser does not know they are told in UTC", () => {
  assert.equal(zoned(1793512800, "Mars/Olympus"), "Sun, Nov 1, 06:00 UTC");
});

test("bins have names", () => {
  const names = { 300: "5 minutes", 1800: "30 minutes", 3600: "hour", 7200: "2 hours", 86400: "day" };
  for (const [seconds, name] of Object.entries(names)) assert.equal(binName(Number(seconds)), name);
});

test("names show what cannot be seen, and long ones are cut", () => {
  assert.equal(shownName("reversed\u202eeman"), "reversed\ufffdeman");
  assert.equal(shownName("two\nlines\u0000\u200f\ud800"), "two\ufffdlines\ufffd\ufffd\ufffd");
  assert.equal(shownName("zoë-用户 🦉"), "zoë-用户 🦉");
  assert.equal(shownName("🦉".repeat(49)), `${"🦉".repeat(47)}…`);
  assert.equal(shownName("a".repeat(48)), "a".repeat(48));
  assert.equal(shownName("__proto__"), "__proto__");
  assert.equal(visible("a".repeat(60)), "a".repeat(60));
});

test("Plotly gets no tag and no entity", () => {
  assert.equal(plotlyText("<b>&lt;</b>\n"), "&lt;b&gt;&amp;lt;&lt;/b&gt;\ufffd");
});

test("how long something lasts", () => {
  const told = [0, 45, 60, 3599, 3600, 12_000, 86_399, 86_400, 200_000].map(lasting);
  assert.deepEqual(told, ["0 s", "45 s", "1 min", "59 min", "1 h", "3 h 20 min", "23 h 59 min", "1 d", "2 d 7 h"]);
});

test("a day by the clock of a zone", () => {
  assert.equal(zonedDay(0, "UTC"), "Jan 1, 1970");
  assert.equal(zonedDay(0, "US/Eastern"), "Dec 31, 1969");
});
