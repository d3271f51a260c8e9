import assert from "node:assert/strict";
import test from "node:test";
import { bodyOf, differing, EMPTY, errorOf, merge, newSecret, settingsOf, withoutSecrets } from "../src/settings.js";

const BASE = { ...EMPTY, displayName: "First", "httpConfig.url": "https://a.example/" };

test("settings are read from a connector, and make the body that has them", () => {
  const httpConfig = { url: "https://a.example/", headers: { A: "1" }, signatureSecret: "s", standardWebhooks: true };
  const connector = { displayName: "First", status: "ACTIVE", events: ["touch"], labels: [], httpConfig };
  assert.deepEqual(bodyOf(settingsOf({ name: "projects/p/dataconnectors/c", ...connector })), connector);
  assert.deepEqual(bodyOf(BASE, ["httpConfig.url"]), { httpConfig: { url: "https://a.example/" } });
});

test("a command that is copied has no secret in it", () => {
  const settings = { ...BASE, "httpConfig.headers": { A: "hidden" }, "httpConfig.signatureSecret": "hidden" };
  assert.ok(!JSON.stringify(bodyOf(withoutSecrets(settings))).includes("hidden"));
  assert.equal(withoutSecrets(BASE)["httpConfig.signatureSecret"], "");
});

test("order makes no difference, and everything else does", () => {
  const one = { ...BASE, events: ["touch", "co2"], "httpConfig.headers": { A: "1", B: "2" } };
  assert.deepEqual(differing(one, { ...one, events: ["co2", "touch"], "httpConfig.headers": { B: "2", A: "1" } }), []);
  assert.deepEqual(differing(one, { ...one, events: ["co2"] }), ["events"]);
  assert.deepEqual(differing(one, { ...one, "httpConfig.headers": { A: "1", B: "3" } }), ["httpConfig.headers"]);
});

test("what only others changed is taken, what both changed stays as it was typed", () => {
  const mine = { ...BASE, displayName: "Mine", labels: ["name", "room"] };
  const latest = { ...BASE, displayName: "Theirs", status: "USER_DISABLED" };
  const { merged, taken, conflicts } = merge(BASE, mine, latest);
  assert.deepEqual(taken, ["status"]);
  assert.deepEqual(conflicts, ["displayName"]);
  assert.deepEqual(merged, { ...mine, status: "USER_DISABLED" });
});

test("the same change made by both is no conflict", () => {
  const both = { ...BASE, displayName: "Same" };
  assert.deepEqual(merge(BASE, both, both), { merged: both, taken: [], conflicts: [] });
});

test("errors of the API are about a field, or about all of it", () => {
  const about = (message, status = 400) => errorOf({ status, message });
  assert.deepEqual(about("httpConfig.url: expected https://"), { field: "httpConfig.url", text: "expected https://" });
  assert.deepEqual(about("httpConfig.headers.X-Tenant: expected printable ASCII"), {
    field: "httpConfig.headers",
    text: "X-Tenant: expected printable ASCII",
  });
  assert.deepEqual(about("httpConfig.previousSecretTtl: no").field, "httpConfig.signatureSecret");
  assert.deepEqual(about("httpConfig: 5000 bytes together").field, "");
  assert.deepEqual(about("displayName: no", 503), { field: "", text: "displayName: no" });
});

test("a new secret has 32 bytes, and is another each time", () => {
  assert.match(newSecret(), /^whsec_[A-Za-z0-9+/]{43}=$/);
  assert.notEqual(newSecret(), newSecret());
});
