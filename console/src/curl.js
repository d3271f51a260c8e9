// The call that a button makes, as a command for a shell. The token is never in it: people put
// their own into $TOKEN.

// In JSON the character NUL is the text \u0000. A variable stands in double quotes, outside of the single ones.
const json = (body) => quoted(JSON.stringify(body)).replace(/\\u0000(\w+)\\u0000/g, `'"$$$1"'`);

/** Quoted for POSIX shells, whatever is in it. */
export const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** A value in a body that the shell takes from its variable `name`. Nobody can type the character around it. */
export const variable = (name) => `\0${name}\0`;

/** `path` is below /v2, `body` what is sent as JSON; undefined for none. */
export function curl(method, path, body) {
  const lines = [`curl ${method === "GET" ? "" : `-X ${method} `}${quoted(`${location.origin}/v2${path}`)}`];
  lines.push(`-H "Authorization: Bearer $TOKEN"`);
  if (body !== undefined) lines.push("-H 'Content-Type: application/json'", `-d ${json(body)}`);
  return lines.join(" \\\n  ");
}
