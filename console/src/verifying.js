// Code that verifies a delivery of one connector, to be copied into a receiver. The same rules as
// examples/ and docs/receiving.md; console/tests/verifying.test.js runs the first two.

export const LANGUAGES = [
  ["python", "Python"],
  ["javascript", "JavaScript"],
  ["go", "Go"],
];

// JSON's strings are strings of all three languages, but for Python's and JavaScript's pairs: Python takes
// characters beyond U+FFFF as they are, and so do the others.
const text = (value) => JSON.stringify(value).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");

const CODE = {
  python: (secret) => `import base64, hashlib, hmac, json, time

SECRET = ${text(secret)}


def verify(signature, body):
    """Raises ValueError unless the raw body is from this connector.

    signature: the header X-Dt-Signature
    body: the bytes that arrived, before anything parses them
    """
    signed, _, given = signature.rpartition(".")
    mac = hmac.new(SECRET.encode(), signed.encode(), hashlib.sha256).digest()
    expected = base64.urlsafe_b64encode(mac).rstrip(b"=")
    if not hmac.compare_digest(given.encode(), expected):
        raise ValueError("signed with another secret")
    claims = signed.partition(".")[2]
    claims = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    if not claims["iat"] - 60 <= time.time() <= claims["iat"] + 660:
        raise ValueError("signed too long ago, or in the future")
    if claims["checksum_sha256"] != hashlib.sha256(body).hexdigest():
        raise ValueError("the body is not the one that was signed")
`,
  javascript: (secret) => `import { createHash, createHmac, timingSafeEqual } from "node:crypto";

const SECRET = ${text(secret)};

/**
 * Throws unless the raw body is from this connector.
 * signature: the header x-dt-signature
 * body: a Buffer of what arrived, before anything parses it
 */
export function verify(signature, body) {
  const dot = signature.lastIndexOf(".");
  const signed = signature.slice(0, Math.max(dot, 0));
  const given = Buffer.from(signature.slice(dot + 1));
  const expected = Buffer.from(createHmac("sha256", SECRET).update(signed).digest("base64url"));
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw new Error("signed with another secret");
  }
  const claims = JSON.parse(Buffer.from(signed.split(".")[1], "base64url").toString());
  const now = Date.now() / 1000;
  if (now < claims.iat - 60 || now > claims.iat + 660) {
    throw new Error("signed too long ago, or in the future");
  }
  if (claims.checksum_sha256 !== createHash("sha256").update(body).digest("hex")) {
    throw new Error("the body is not the one that was signed");
  }
}
`,
  go: (secret) => `package receiver

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"time"
)

const secret = ${text(secret)}

// Verify returns an error unless the raw body is from this connector.
// signature is the header X-Dt-Signature, body what arrived before anything parses it.
func Verify(signature string, body []byte) error {
	parts := strings.Split(signature, ".")
	if len(parts) != 3 {
		return errors.New("not signed")
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(parts[0] + "." + parts[1]))
	given, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || !hmac.Equal(given, mac.Sum(nil)) {
		return errors.New("signed with another secret")
	}
	var claims struct {
		IssuedAt int64  \`json:"iat"\`
		Checksum string \`json:"checksum_sha256"\`
	}
	decoded, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return err
	}
	if err := json.Unmarshal(decoded, &claims); err != nil {
		return err
	}
	now := time.Now().Unix()
	if now < claims.IssuedAt-60 || now > claims.IssuedAt+660 {
		return errors.New("signed too long ago, or in the future")
	}
	sum := sha256.Sum256(body)
	if claims.Checksum != hex.EncodeToString(sum[:]) {
		return errors.New("the body is not the one that was signed")
	}
	return nil
}
`,
};

/** Code in a language of `LANGUAGES` that verifies deliveries signed with `secret`. */
export const verifier = (language, secret) => CODE[language](secret);
