import { execFile } from "node:child_process";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { available, nodeProgram } from "../servers/available.ts";
import { closedPort, serve } from "../support/servers.ts";

const run = promisify(execFile);
const dist = pathToFileURL(new URL("../../dist/index.js", import.meta.url).pathname).href;

/** Plain `fetch` in a process of its own, whose global dispatcher is the mesh's. */
const program = `
  const { createMesh, staticDiscovery } = await import(process.argv[1]);
  const { setGlobalDispatcher } = await import(process.argv[2]);
  const [good, dead] = process.argv.slice(3).map(Number);
  const instances = [dead, good].map((port) => ({ host: "127.0.0.1", port }));
  const mesh = createMesh({ discovery: staticDiscovery({ users: instances, dead: [instances[0]] }), observers: [] });
  setGlobalDispatcher(mesh.dispatcher());
  const seen = {};
  for (let index = 0; index < 3; index++) seen.get = await (await fetch("http://users/get?a=b", { headers: { "x-a": "1" } })).text();
  seen.post = await (await fetch("http://users/post", { method: "POST", body: "content" })).text();
  seen.stream = await (await fetch("http://users/post", { method: "POST", body: new Blob(["streamed"]).stream(), duplex: "half" })).text();
  seen.gzip = await (await fetch("http://users/gzip")).text();
  const moved = await fetch("http://users/moved");
  seen.moved = [moved.redirected, moved.url, await moved.text()];
  seen.cookies = (await fetch("http://users/get")).headers.getSetCookie();
  seen.dead = await fetch("http://dead/x").catch(({ name, cause }) => [name, cause?.name, cause?.code]);
  seen.nobody = await fetch("http://nobody/x").catch(({ cause }) => cause?.code);
  const controller = new AbortController();
  const hanging = fetch("http://users/hang", { signal: controller.signal }).catch(({ name }) => name);
  setTimeout(() => controller.abort(), 50);
  seen.aborted = await hanging;
  await mesh.close();
  console.log(JSON.stringify(seen));
`;

const programs: readonly (readonly [string, () => string])[] = [
  ["this Node", () => process.execPath],
  ...(["node22", "node26"] as const).filter((name) => available(name)).map((name) => [name, () => nodeProgram(name)] as const),
];

describe.each(programs)("fetch of %s, with the mesh as its global dispatcher", (_name, node) => {
  it("gets, posts, decodes, follows, fails and aborts as ever", async () => {
    const server = await serve((request, response) => {
      if (request.url === "/gzip") response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("decoded"));
      else if (request.url === "/moved") response.writeHead(302, { location: "/get" }).end();
      else if (request.url === "/hang") return;
      else if (request.url === "/post") response.end(`${request.method} ${server.seen.at(-1)?.body}`);
      else
        response.writeHead(200, { "set-cookie": ["a=1", "b=2"] }).end(`${request.method} ${request.url} ${request.headers["x-a"] ?? ""}`);
    });
    const undici = import.meta.resolve("undici");
    const ports = [server.port, await closedPort()].map(String);
    const { stdout } = await run(node(), ["--input-type=module", "-e", program, dist, undici, ...ports], { timeout: 20_000 });
    expect(JSON.parse(stdout)).toEqual({
      get: "GET /get?a=b 1",
      post: "POST content",
      stream: "POST streamed",
      gzip: "decoded",
      moved: [true, "http://users/get", "GET /get "],
      cookies: ["a=1", "b=2"],
      dead: ["TypeError", "MeshError", expect.stringMatching(/ERR_MESH_(CONNECT|RETRY_EXHAUSTED)/)],
      nobody: "ERR_MESH_NO_ENDPOINTS",
      aborted: "AbortError",
    });
  });
});
