// BullMQ's worker, configured as its documentation recommends; docs/comparison.md says where.
import { createHash, randomUUID } from "node:crypto";
import { CONDITIONS, NAME, connect, require } from "./queue.mjs";

const { Worker } = require("bullmq");
const { sign } = require("jsonwebtoken");

const LIFETIME = 3600; // Seconds that a token is valid, as the bundle's are.

// Node's own fetch keeps connections.
async function deliver({ data: { url, body } }) {
  const headers = { "Content-Type": "application/json", "X-Dt-Signature": signature(body) };
  const signal = AbortSignal.timeout(CONDITIONS.attempt * 1000);
  const response = await fetch(url, { method: "POST", body, headers, redirect: "manual", signal });
  await response.text(); // so that the connection can be used again
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}`);
}

// The token that receivers check: HS256, with the checksums of exactly this body.
function signature(body) {
  const claims = {
    checksum: createHash("sha1").update(body).digest("hex"),
    checksum_sha256: createHash("sha256").update(body).digest("hex"),
    jti: randomUUID(),
  };
  return sign(claims, CONDITIONS.secret, { algorithm: "HS256", expiresIn: LIFETIME });
}

const wait = (attemptsMade) =>
  Math.min(CONDITIONS.firstWait * 2 ** (attemptsMade - 1), CONDITIONS.longestWait) * 1000;

const worker = new Worker(NAME, deliver, {
  connection: connect(),
  concurrency: CONDITIONS.parallelAttempts,
  settings: { backoffStrategy: wait },
});
worker.on("failed", (job, error) => console.error(`failed ${job?.id}: ${error.message}`));
worker.on("error", (error) => console.error(error));
