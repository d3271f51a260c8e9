import "./browser.js";
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { all, ApiError, call, get, post, trouble, withQuery } from "../src/api.js";
import { expired, session } from "../src/session.js";

const OK = [200, { fine: true }];

/** Answers to the next calls, in order; what was called is returned. */
function answers(...given) {
  const calls = [];
  globalThis.fetch = async (path, init) => {
    calls.push({ path, ...init });
    const next = given[calls.length - 1] ?? OK;
    if (next instanceof Error) throw next;
    const [status, body, headers] = next;
    return new Response(typeof body === "string" ? body : JSON.stringify(body), { status, headers });
  };
  return calls;
}

/** Timers end at once, and which there were. */
function withoutWaiting() {
  const waits = [];
  mock.method(globalThis, "setTimeout", (done, ms) => {
    waits.push(ms);
    queueMicrotask(done);
  });
  return waits;
}

test.afterEach(() => {
  mock.restoreAll();
  session.set(null);
  expired.set(false);
});

test("a read is repeated when the stack is unavailable, and not forever", async () => {
  withoutWaiting();
  assert.deepEqual(await get("/x", answers([503, {}])), { fine: true });
  const calls = answers([503, {}], [503, {}], [503, {}], OK);
  await assert.rejects(get("/x"), { status: 503 });
  assert.equal(calls.length, 3);
});

test("what changes something is not repeated after 503, or when nobody answered", async () => {
  withoutWaiting();
  for (const failure of [[503, {}], new TypeError("network")]) {
    const calls = answers(failure);
    await assert.rejects(post("/x", {}), ApiError);
    assert.equal(calls.length, 1);
  }
  const calls = answers([503, {}]);
  await post("/x", {}, { isRepeatable: true });
  assert.equal(calls.length, 2);
});

test("429 waits as long as the API asks for, within limits", async () => {
  const waits = withoutWaiting();
  answers([429, {}, { "retry-after": "2" }], [429, {}, { "retry-after": "3600" }]);
  await post("/x", {});
  assert.deepEqual(waits, [2_000, 10_000]);
});

test("after 401 the call waits for somebody to sign in, and is made again with the new token", async () => {
  session.set({ token: "old", expires: Date.now() + 3_600_000, email: "a@b" });
  const calls = answers([401, { error: "expired" }], OK);
  const answer = call("PATCH", "/x", { body: { kept: 1 } });
  await new Promise((resolve) => expired.subscribe(resolve));
  session.set({ token: "new", expires: Date.now() + 3_600_000, email: "a@b" });
  await answer;
  assert.deepEqual(calls.map((each) => each.headers.authorization), ["Bearer old", "Bearer new"]);
  assert.equal(calls[1].body, '{"kept":1}');
});

test("an error names its field, and says what happened", async () => {
  answers([400, { error: "httpConfig.url: expected https" }]);
  await assert.rejects(post("/x", {}), { status: 400, field: "httpConfig.url", text: "expected https" });
  answers([404, { error: "projects/p is not there" }]);
  await assert.rejects(post("/x", {}), { status: 404, field: "", text: "projects/p is not there" });
  answers([500, "<html>"]);
  await assert.rejects(post("/x", {}), { status: 500, message: /Its log says why/ });
  answers([403, { error: "dataconnector.create is missing" }]);
  await assert.rejects(post("/x", {}), { status: 403, message: /role does not allow/ });
});

test("an answer that is no JSON is an error, even with 200", async () => {
  answers([200, "<html>"]);
  await assert.rejects(post("/x", {}), { status: 200 });
});

test("no answer is noticed, and the next one ends that", async () => {
  withoutWaiting();
  answers(new TypeError("network"));
  await assert.rejects(post("/x", {}), { status: 0 });
  assert.equal(trouble.get(), "unreachable");
  answers(OK);
  await post("/x", {});
  assert.equal(trouble.get(), null);
});

test("all pages of a list are read", async () => {
  const calls = answers([200, { things: [1], nextPageToken: "t&" }], [200, { things: [2], nextPageToken: "" }]);
  assert.deepEqual(await all("/things", "things"), [1, 2]);
  assert.equal(calls[1].path, "/v2/things?pageToken=t%26");
});

test("a query leaves out what is empty, and repeats lists", () => {
  assert.equal(withQuery("/x", { a: "", b: null, c: ["1", "&"] }), "/x?c=1&c=%26");
  assert.equal(withQuery("/x?a=1", { b: 2 }), "/x?a=1&b=2");
});
