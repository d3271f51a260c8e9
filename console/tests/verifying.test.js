import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash, createHmac } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import test from "node:test";
import { verifier } from "../src/verifying.js";

const SECRET = "it's a \"secret\" \\ with \u00e5, \u{1F511} and ${1} `";
const BODY = Buffer.from('{"event": {"eventId": "e1"}}');

function sign(body, secret, iat = Math.floor(Date.now() / 1000)) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const checksum_sha256 = createHash("sha256").update(body).digest("hex");
  const signed = `${part({ typ: "JWT", alg: "HS256" })}.${part({ iat, exp: iat + 3600, checksum_sha256 })}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

const OLD = Math.floor(Date.now() / 1000) - 3600;
const CASES = [
  ["one of this connector", sign(BODY, SECRET), BODY, true],
  ["another secret", sign(BODY, "another"), BODY, false],
  ["another body", sign(BODY, SECRET), Buffer.from("{}"), false],
  ["an old one", sign(BODY, SECRET, OLD), BODY, false],
  ["no token", "nothing", BODY, false],
];

async function inFolder(run) {
  const folder = mkdtempSync(join(tmpdir(), "verify-"));
  try {
    return await run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("the JavaScript accepts this connector's events alone", async () => {
  const verify = await inFolder((folder) => {
    const file = join(folder, "verify.mjs");
    writeFileSync(file, verifier("javascript", SECRET));
    return import(pathToFileURL(file)).then((module) => module.verify);
  });
  for (const [name, signature, body, isGood] of CASES) {
    (isGood ? assert.doesNotThrow : assert.throws)(() => verify(signature, body), undefined, name);
  }
});

test("the Python accepts this connector's events alone", async () => {
  const lines = CASES.map(([, signature, body]) => [signature, body.toString()]);
  const code = `${verifier("python", SECRET)}
import sys
for signature, body in json.load(sys.stdin):
    try:
        verify(signature, body.encode())
        print("good")
    except ValueError:
        print("bad")
`;
  const answer = await inFolder((folder) => {
    const file = join(folder, "verify.py");
    writeFileSync(file, code);
    return execFileSync(process.env.PYTHON ?? "python3", [file], { input: JSON.stringify(lines) }).toString();
  });
  assert.deepEqual(answer.trim().split("\n"), CASES.map(([, , , isGood]) => (isGood ? "good" : "bad")));
});

// Go is not installed where this runs: its code is the same, step by step, and was read only.
test("the Go has the secret as a string of Go", () => {
  assert.ok(verifier("go", "a\"b\\c").includes('const secret = "a\\"b\\\\c"'));
});
