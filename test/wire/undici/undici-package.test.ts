// undici's client of HTTP/2 is loaded late, and is undici's own for others that use it. Each in a new process: what is loaded stays.
import { execFile } from "node:child_process";
import { createServer } from "node:http2";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { listening } from "../../support/servers.ts";

const root = join(import.meta.dirname, "../../..");

/** Loads undici as the mesh does and as an application does, in one order or the other, and calls `port` by HTTP/2. */
function program(steps: readonly ("mesh" | "application")[], port: number): string {
  return `
    const { Module } = require("node:module");
    const http2 = () => process.moduleLoadList.includes("NativeModule http2");
    const path = require.resolve("undici/lib/dispatcher/client-h2.js");
    const load = {
      mesh: () => require(${JSON.stringify(join(root, "src/wire/undici/undici-package.cjs"))}).load(),
      application: () => require("undici"),
    };
    for (const step of ${JSON.stringify(steps)}) {
      const loaded = load[step]();
      if (step === "mesh") console.log(http2(), Module._cache[path] === undefined);
    }
    const client = new (require("undici").Client)("http://127.0.0.1:${port}", { allowH2: true, useH2c: true });
    const answer = async () => (await (await client.request({ path: "/", method: "GET" })).body.text());
    Promise.all([answer(), answer()]).then(async (answers) => {
      console.log(answers.join(), http2(), require(path) === Module._cache[path].exports);
      await client.close();
    });`;
}

async function run(steps: readonly ("mesh" | "application")[], port: number): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)(process.execPath, ["--eval", program(steps, port)], { cwd: root });
  return stdout.trim().split("\n");
}

it("node:http2 is loaded when an application speaks it by the same undici, and not before", async () => {
  const server = createServer((request, response) => response.end(request.httpVersion));
  const port = await listening(server);
  expect(await run(["mesh", "application"], port)).toEqual(["false true", "2.0,2.0 true true"]);
});

it("an undici that was loaded before stays as it is", async () => {
  const server = createServer((request, response) => response.end(request.httpVersion));
  const port = await listening(server);
  const [first, second] = await run(["application", "mesh"], port);
  expect(first).toMatch(/ false$/);
  expect(second).toBe("2.0,2.0 true true");
});
