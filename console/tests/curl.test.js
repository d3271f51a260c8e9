import assert from "node:assert/strict";
import test from "node:test";
import "./browser.js";
import { curl, quoted, variable } from "../src/curl.js";

test("a call is a command that names the token and does not have it", () => {
  assert.equal(
    curl("POST", "/projects/p:test", { eventType: "touch" }),
    `curl -X POST '${location.origin}/v2/projects/p:test' \\\n  -H "Authorization: Bearer $TOKEN" \\\n` +
      `  -H 'Content-Type: application/json' \\\n  -d '{"eventType":"touch"}'`,
  );
  assert.equal(curl("GET", "/p"), `curl '${location.origin}/v2/p' \\\n  -H "Authorization: Bearer $TOKEN"`);
});

test("what somebody typed cannot end the quotes", () => {
  assert.equal(quoted("it's $(here)"), `'it'\\''s $(here)'`);
});

test("a secret is a variable of the shell, outside of the quotes", () => {
  const command = curl("POST", "/p", { secret: variable("SECRET"), name: "it's" });
  assert.ok(command.endsWith(`-d '{"secret":"'"$SECRET"'","name":"it'\\''s"}'`), command);
});
