import "./browser.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { match } from "../src/router.js";

const routes = [
  { path: "/projects" },
  { path: "/projects/:project/connectors/new" },
  { path: "/projects/:project/connectors/:connector" },
];

for (const [path, route, parameters] of [
  ["/projects", 0, {}],
  ["/projects/p/connectors/new", 1, { project: "p" }],
  ["/projects/p/connectors/c%2F1", 2, { project: "p", connector: "c/1" }],
]) {
  test(`${path} is page ${route}`, () =>
    assert.deepEqual(match(routes, path), { route: routes[route], parameters }));
}

for (const path of ["/", "/elsewhere", "/projects/p", "/projects/p/connectors/%E0%A4%A"]) {
  test(`${path} is no page`, () => assert.equal(match(routes, path), null));
}
