// The call that a button makes, as a command for a shell. The token is never in it: people put
// their own into $TOKEN.

/** Quoted for POSIX shells, whatever is in it. */
export const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** `path` is below /v2, `body` what is sent as JSON; undefined for none. */
export function curl(method, path, body) {
  const lines = [`curl ${method === "GET" ? "" : `-X ${method} `}${quoted(`${location.origin}/v2${path}`)}`];
  lines.push(`-H "Authorization: Bearer $TOKEN"`);
  if (body !== undefined) lines.push("-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(body))}`);
  return lines.join(" \\\n  ");
}
