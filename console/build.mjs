// Bundles the console into the folder of its function: hashed files, each also compressed, and
// files.json, which the function reads. `make build` runs it with the folder that has node_modules.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const packages = resolve(process.argv[2]);
const out = join(here, "../functions/console/files");
const esbuild = createRequire(join(packages, "package.json"))("esbuild");

const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
};
// The budget for all that a browser may ever load, compressed. It is checked here, because
// a dependency that breaks it should break the build.
const BUDGET_BYTES = 100_000;

const hash = (bytes) => createHash("sha256").update(bytes).digest("hex").slice(0, 16);
const files = {};

function add(name, bytes, { immutable }) {
  const content = Buffer.from(bytes);
  writeFileSync(join(out, name), content);
  const brotli = brotliCompressSync(content, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
    },
  });
  writeFileSync(join(out, `${name}.br`), brotli);
  writeFileSync(join(out, `${name}.gz`), gzipSync(content, { level: 9 }));
  files[name] = { type: TYPES[extname(name)], etag: hash(content), immutable, bytes: brotli.length };
}

/** The name of a file that may be kept forever: its content's hash is a part of it. */
function addHashed(name, bytes) {
  const extension = extname(name);
  const hashed = `${name.slice(0, -extension.length)}-${hash(bytes)}${extension}`;
  add(hashed, bytes, { immutable: true });
  return hashed;
}

rmSync(out, { recursive: true, force: true });
mkdirSync(out);

const result = await esbuild.build({
  absWorkingDir: here,
  entryPoints: { app: "src/main.jsx", theme: "src/theme.js" },
  outdir: out,
  bundle: true,
  splitting: true, // The plots are loaded when a page shows one
  format: "esm",
  target: ["chrome123", "firefox120", "safari17.5"], // The first with light-dark() in CSS
  jsx: "automatic",
  jsxImportSource: "preact",
  nodePaths: [join(packages, "node_modules")],
  minify: true,
  legalComments: "none", // licenses.txt has them
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  write: false,
  metafile: true,
  logLevel: "warning",
});

const entries = {};
for (const file of result.outputFiles) {
  const name = relative(out, file.path);
  add(name, file.contents, { immutable: true });
  entries[name.replace(/-[0-9A-Z]+(?=\.\w+$)/, "")] = name;
}

const bundled = new Set(
  Object.keys(result.metafile.inputs)
    .map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1])
    .filter(Boolean),
);
const licenses = [...bundled].sort().map((name) => {
  const folder = join(packages, "node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json")));
  return `${name} ${version} (${license})\n\n${readFileSync(join(folder, "LICENSE"), "utf8").trim()}\n`;
});

const names = {
  "app.js": entries["app.js"],
  "app.css": entries["app.css"],
  "theme.js": entries["theme.js"],
  "icon.svg": addHashed("icon.svg", readFileSync(join(here, "icon.svg"))),
  "licenses.txt": addHashed("licenses.txt", licenses.join(`\n${"-".repeat(80)}\n\n`)),
};
const page = readFileSync(join(here, "index.html"), "utf8").replace(
  /\{\{([\w.]+)\}\}/g,
  (_, name) => names[name] ?? error(`index.html names ${name}, which is not built`),
);
add("index.html", page, { immutable: false });
writeFileSync(join(out, "files.json"), JSON.stringify(files));

function error(text) {
  throw new Error(text);
}

const total = Object.values(files).reduce((sum, file) => sum + file.bytes, 0);
console.log(`console: ${(total / 1000).toFixed(1)} kB compressed in ${Object.keys(files).length} files`);
if (total > BUDGET_BYTES) error(`console: ${total} bytes compressed, at most ${BUDGET_BYTES}`);
