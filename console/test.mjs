// Runs console/tests with Node's own runner. They are bundled first, so that they import what the
// pages import. tests/unit/test_console_scripts.py runs it, with the folder that has node_modules
// and one for the bundles.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const packages = resolve(process.argv[2]);
const out = resolve(process.argv[3]);
const esbuild = createRequire(join(packages, "package.json"))("esbuild");

await esbuild.build({
  absWorkingDir: here,
  entryPoints: readdirSync(join(here, "tests")).filter((name) => name.endsWith(".test.js")).map((name) => join("tests", name)),
  outdir: out,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  format: "esm",
  platform: "node",
  jsx: "automatic",
  jsxImportSource: "preact",
  nodePaths: [join(packages, "node_modules")],
  logLevel: "warning",
});
const bundles = readdirSync(out).map((name) => join(out, name));
process.exit(spawnSync(process.execPath, ["--test", ...bundles], { stdio: "inherit" }).status);
