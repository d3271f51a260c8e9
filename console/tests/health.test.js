import assert from "node:assert/strict";
import test from "node:test";
import "./browser.js";
import { chosen, rowsOf } from "../src/health.js";

const name = "projects/p/dataconnectors/c1";
const CONNECTOR = { name, displayName: "Cold room", httpConfig: { url: "https://cold.example/in" } };
const HEALTH = { name, state: "HEALTHY", lastError: null, nextAttemptTime: null };
const timeline = (...counts) => ({
  connector: name,
  points: counts.map(([successCount, errorCount]) => ({ successCount, errorCount })),
});
const row = (...of) => rowsOf([CONNECTOR], ...of)[0];

test("a connector is healthy once something was delivered", () => {
  assert.equal(row([HEALTH], [timeline([0, 0])]).state, "IDLE");
  const { state, successes, errors } = row([HEALTH], [timeline([2, 0], [3, 1])]);
  assert.deepEqual({ state, successes, errors }, { state: "HEALTHY", successes: 5, errors: 1 });
  assert.equal(row([{ ...HEALTH, state: "OUTAGE" }], [timeline([0, 9])]).state, "OUTAGE");
});

test("what is not known yet is not made up", () => {
  const { state, successes, points } = row();
  assert.deepEqual({ state, successes, points }, { state: undefined, successes: undefined, points: undefined });
});

test("search looks at name, URL and id, in any case, and the state filters", () => {
  const rows = rowsOf([CONNECTOR], [{ ...HEALTH, state: "PAUSED" }]);
  for (const text of ["COLD r", "cold.example", "c1", " ", ""]) assert.equal(chosen(rows, text, "").length, 1, text);
  assert.equal(chosen(rows, "warm", "").length, 0);
  assert.equal(chosen(rows, "", "PAUSED").length, 1);
  assert.equal(chosen(rows, "", "OUTAGE").length, 0);
});
