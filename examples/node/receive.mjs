// Whether a delivery is truly from your connector, and the event that it carries.
// Node 18 or newer, nothing to install. The same rules as dataconnectors/receive.py.
//
// The golden rule: answer 200 only after the event is saved. The same event may come more than once,
// so save it under its eventId and let the second one do nothing.

import { createHash, createHmac, timingSafeEqual } from "node:crypto";

const LEEWAY = 60; // Seconds that your clock and ours may differ
const MAXIMUM_AGE = 600; // Seconds since the attempt was signed; each attempt is signed anew
const LONGEST_SIGNATURE = 4096; // Characters; ours have about 350

/** Not a delivery that you should save; answer its status. The text holds no secret and no body. */
export class RefusedError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/**
 * The event, its labels and its metadata; throws RefusedError when it is none of yours.
 *
 * `headers` are those of Node's request, with names in lower case. `body` is a Buffer with exactly what
 * arrived: parsed and written again it may have other checksums. `secret` is the connector's
 * signatureSecret. While the connector keeps its previous secret, each delivery also has a signature by
 * that one, so either of the two is accepted. `now` is in epoch seconds.
 */
export function receive(headers, body, secret, now = Date.now() / 1000) {
  try {
    verify(headers["x-dt-signature"], body, secret, now);
  } catch (refused) {
    const previous = headers["x-dt-signature-previous"];
    if (!(refused instanceof RefusedError) || previous === undefined) throw refused;
    verify(previous, body, secret, now);
  }
  let content;
  try {
    content = JSON.parse(body.toString("utf8"));
  } catch {
    throw new RefusedError(400, "the body is not JSON");
  }
  if (typeof content?.event?.eventId !== "string") {
    throw new RefusedError(400, "the body has no event.eventId");
  }
  return content;
}

function verify(signature, body, secret, now) {
  if (!secret) throw new Error("an empty secret would accept what anybody has signed");
  if (typeof signature !== "string" || signature.length > LONGEST_SIGNATURE) {
    throw new RefusedError(401, "no header x-dt-signature");
  }
  const dot = signature.lastIndexOf(".");
  const signed = signature.slice(0, Math.max(dot, 0));
  // Always HS256: the token is never asked which algorithm it would like.
  const mac = createHmac("sha256", secret).update(signed).digest("base64url");
  if (!equal(signature.slice(dot + 1), mac)) {
    throw new RefusedError(401, "the signature was not made with this secret");
  }
  const [header, claims] = signed.split(".").map(decode);
  if (header?.alg !== "HS256" || header?.typ !== "JWT" || Object.keys(header).length !== 2) {
    throw new RefusedError(401, "the signature's algorithm is not HS256");
  }
  const { iat, exp } = claims ?? {};
  if (!Number.isInteger(iat) || !Number.isInteger(exp)) {
    throw new RefusedError(401, "the signature does not say when it was made");
  }
  if (iat > now + LEEWAY) throw new RefusedError(401, "the signature is from the future");
  if (now > Math.min(exp, iat + MAXIMUM_AGE) + LEEWAY) {
    throw new RefusedError(401, "the signature has expired");
  }
  const sha1 = equal(claims.checksum, createHash("sha1").update(body).digest("hex"));
  const sha256 = equal(claims.checksum_sha256, createHash("sha256").update(body).digest("hex"));
  if (!sha1 || !sha256) throw new RefusedError(401, "the body is not the one that was signed");
}

function decode(part) {
  try {
    return JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
  } catch {
    throw new RefusedError(401, "the signature is not a JSON Web Token");
  }
}

/** In constant time for texts of the same length; the length of ours is no secret. */
function equal(given, expected) {
  const [a, b] = [Buffer.from(String(given)), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
