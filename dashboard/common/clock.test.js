import assert from "node:assert/strict";
import { test } from "node:test";
import { epochOfField, fieldTime, isoTime, offsetAt, offsetsAt, sameClock } from "./clock.js";

const HOUR = 3600;
const EASTERN = "US/Eastern";
const back = Date.parse("2026-11-01T06:00:00Z") / 1000; // 02:00 EDT is 01:00 EST
const forward = Date.parse("2026-03-08T07:00:00Z") / 1000; // 02:00 EST is 03:00 EDT

test("a zone's offset, half hours and summer included", () => {
  assert.equal(offsetAt(back - 1, EASTERN), -4 * HOUR);
  assert.equal(offsetAt(back, EASTERN), -5 * HOUR);
  assert.equal(offsetAt(back, "Asia/Kolkata"), 5.5 * HOUR);
  assert.equal(offsetAt(0, "UTC"), 0);
  assert.equal(offsetAt(back, "Mars/Olympus"), 0);
});

test("a time as ISO 8601 has its offset, half hours and both sides of UTC", () => {
  assert.equal(isoTime(back, EASTERN), "2026-11-01T01:00:00-05:00");
  assert.equal(isoTime(back - 1, EASTERN), "2026-11-01T01:59:59-04:00");
  assert.equal(isoTime(back, "Asia/Kolkata"), "2026-11-01T11:30:00+05:30");
  assert.equal(isoTime(back, "UTC"), "2026-11-01T06:00:00+00:00");
  assert.equal(isoTime(back, "America/St_Johns"), "2026-11-01T02:30:00-03:30");
});

test("the offsets of many times are those of each", () => {
  for (const zone of [EASTERN, "Europe/Berlin", "Africa/Casablanca", "Australia/Lord_Howe", "UTC"]) {
    for (const step of [300, HOUR, 86400, 40 * 86400]) {
      const epochs = Array.from({ length: 800 }, (_, place) => forward - 20 * 86400 + place * step);
      assert.deepEqual(
        offsetsAt(epochs, zone),
        epochs.map((epoch) => offsetAt(epoch, zone)),
        `${zone} ${step}`,
      );
    }
  }
  assert.deepEqual(offsetsAt([], EASTERN), []);
  assert.deepEqual(offsetsAt([back], EASTERN), [-5 * HOUR]);
});

test("a field shows a time and gives it back", () => {
  assert.equal(fieldTime(back - HOUR, EASTERN), "2026-11-01T01:00");
  for (let hour = -48; hour < 48; hour += 1) {
    for (const change of [back, forward]) {
      const epoch = change + hour * HOUR;
      const again = epochOfField(fieldTime(epoch, EASTERN), EASTERN);
      assert.equal(again, change === back && hour === 0 ? epoch - HOUR : epoch); // 01:00 comes twice: the first of them
    }
  }
});

test("a time that the clock skips is as much later as it jumps", () => {
  assert.equal(epochOfField("2026-03-08T02:30", EASTERN), forward + HOUR / 2);
  assert.equal(fieldTime(epochOfField("2026-03-08T02:30", EASTERN), EASTERN), "2026-03-08T03:30");
});

test("a field without a time has none", () => {
  for (const text of ["", "x", "2026-13-01T00:00"]) assert.ok(Number.isNaN(epochOfField(text, EASTERN)));
});

test("zones of two names may have one clock", () => {
  assert.ok(sameClock(EASTERN, "America/New_York", forward, back));
  assert.ok(!sameClock(EASTERN, "America/Chicago", forward, back));
  assert.ok(sameClock("UTC", "Africa/Abidjan", forward, back));
  assert.ok(!sameClock("Europe/London", "Africa/Abidjan", forward, back + 86400 * 30)); // alike in winter alone
});
