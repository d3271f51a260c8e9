import assert from "node:assert/strict";
import test from "node:test";
import { actionText, detailText, shortName } from "../src/audit.js";

const CONNECTOR = "projects/p/dataconnectors/c";

test("an entry says in words what was done", () => {
  const cases = [
    [{ action: "dataconnector.create", resource: CONNECTOR }, "Created connector"],
    [{ action: "dataconnector.update", resource: CONNECTOR, details: { verb: "pause" } }, "Paused connector"],
    [{ action: "dataconnector.update", resource: `${CONNECTOR}/replays/r` }, "Started replay"],
    [
      { action: "dataconnector.update", resource: `${CONNECTOR}/replays/r`, details: { state: "CANCELLED" } },
      "Cancelled replay",
    ],
    [{ action: "serviceaccount.key.delete", resource: "projects/p/serviceaccounts/s/keys/k" }, "Deleted key"],
    [{ action: "something.new", resource: "projects/p" }, "something.new"],
  ];
  for (const [entry, text] of cases) assert.equal(actionText(entry), text);
});

test("details are text, without what the words say already", () => {
  assert.equal(
    detailText({ details: { email: "kari@example.com", roles: ["roles/project.developer"], devices: [] } }),
    "email: kari@example.com · roles: developer",
  );
  assert.equal(detailText({ details: { verb: "pause" } }), "");
  assert.equal(detailText({}), "");
});

test("a resource is named without its project", () => {
  assert.equal(shortName(CONNECTOR), "dataconnectors/c");
  assert.equal(shortName("projects/p"), "projects/p");
});
