// An endpoint on Node's standard library: verifies deliveries and saves each event once.
//
//     SIGNATURE_SECRET=... EVENTS_FOLDER=events node server.mjs 8443 certificate.pem key.pem
//
// For real traffic put it behind a proxy that ends TLS: leave out the files, and it speaks plain HTTP.

import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { createServer as createPlainServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { join } from "node:path";

import { receive, RefusedError } from "./receive.mjs";

const [port, certificate, key] = process.argv.slice(2);
const SECRET = process.env.SIGNATURE_SECRET;
const FOLDER = process.env.EVENTS_FOLDER ?? "events";
const LARGEST_BODY = 64 * 1024; // Bytes: a delivery never has more

fs.mkdirSync(FOLDER, { recursive: true });

/** On disk when it returns. The name makes the second arrival of an event do nothing new. */
function save(content) {
  const name = createHash("sha256").update(content.event.eventId).digest("hex");
  const path = join(FOLDER, `${name}.json`);
  if (fs.existsSync(path)) return;
  // Renamed when it is complete: a file that is there is never half an event.
  writeToDisk(`${path}.part`, JSON.stringify(content));
  fs.renameSync(`${path}.part`, path);
  sync(FOLDER);
}

function writeToDisk(path, text) {
  fs.writeFileSync(path, text);
  sync(path);
}

function sync(path) {
  const descriptor = fs.openSync(path, "r");
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

async function readBody(request) {
  const parts = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > LARGEST_BODY) throw new RefusedError(413, "the body is too large");
    parts.push(part);
  }
  return Buffer.concat(parts);
}

async function handle(request, response) {
  let status = 200;
  let message = "saved";
  try {
    const body = await readBody(request);
    save(receive(request.headers, body, SECRET));
  } catch (error) {
    const refused = error instanceof RefusedError;
    status = refused ? error.status : 503; // It comes again
    message = refused ? error.message : "not saved";
    if (!refused) console.error("not saved:", error.message);
  }
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify({ message }));
}

const server = certificate
  ? createTlsServer({ cert: fs.readFileSync(certificate), key: fs.readFileSync(key) }, handle)
  : createPlainServer(handle);
server.listen(Number(port), () => console.log(`listening on ${server.address().port}`));
