import "./browser.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { ago, bytes, count, counted, duration, exactly } from "../src/time.js";

const NOON = Date.parse("2026-11-28T12:00:00Z");

for (const [time, expected] of [
  ["2026-11-28T12:00:01Z", "now"],
  ["2026-11-28T11:59:48Z", "12 sec. ago"],
  ["2026-11-28T11:57:01Z", "2 min. ago"],
  ["2026-11-28T12:03:00Z", "in 3 min."],
  ["2026-11-28T02:00:00Z", "10 hr. ago"],
  ["2026-11-26T12:00:00Z", "2 days ago"],
  ["not a time", ""],
]) {
  test(`${time} is "${expected}"`, () => assert.equal(ago(time, NOON), expected));
}

for (const [ms, expected] of [
  [0.42, "0.4 ms"],
  [12.3, "12 ms"],
  [1_240, "1.24 s"],
  [12_300, "12.3 s"],
  [180_000, "3 min"],
  [43_200_000, "12.0 h"],
  [null, "–"],
  [undefined, "–"],
]) {
  test(`${ms} ms is "${expected}"`, () => assert.equal(duration(ms), expected));
}

test("numbers and sizes are written as people read them", () => {
  assert.equal(count(12_345), "12,345");
  assert.equal(count(null), "–");
  assert.equal(counted(1, "event"), "1 event");
  assert.equal(counted(0, "entry", "entries"), "0 entries");
  assert.equal(bytes(999), "999 B");
  assert.equal(bytes(2_048), "2.0 kB");
});

test("what is no time is shown as it is", () => assert.equal(exactly("<b>"), "<b>"));
