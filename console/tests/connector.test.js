import assert from "node:assert/strict";
import test from "node:test";
import "./browser.js";
import { roundUp } from "../src/pages/connector/plot.jsx";
import { toInput } from "../src/pages/connector/replays.jsx";

test("axes end at a number that reads well, not below the highest value", () => {
  for (const [value, end] of [
    [4, 4],
    [5, 6],
    [7, 8],
    [41, 60],
    [999, 1000],
    [1001, 1200],
    [0.31, 0.4],
  ]) {
    assert.ok(Math.abs(roundUp(value) - end) < 1e-9, `${value}: ${roundUp(value)}`);
  }
});

test("a field of date and time shows a time to the second, and gives it back", () => {
  const time = Date.UTC(2026, 0, 31, 23, 59, 58);
  assert.equal(new Date(toInput(time)).getTime(), time);
});
