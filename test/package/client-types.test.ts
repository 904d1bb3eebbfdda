// mesh.fetch and mesh.dispatcher() in the types of other clients: with four compilers, with and without the browser's types, on the types of two
// versions of Node and of two versions of undici.
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requireDist } from "../dist.ts";
import { available, requireServer } from "../servers/available.ts";
import { type Consumer, install, pack, root } from "./consumer.ts";

const fetchProgram = `
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { FetchHttpHandler } from "@smithy/fetch-http-handler";
import { createTRPCClient, httpBatchLink, httpLink, httpSubscriptionLink } from "@trpc/client";
import { createMesh, staticDiscovery } from "inmesh";
import ky from "ky";
import { createFetch } from "ofetch";
import OpenAI from "openai";
import createClient from "openapi-fetch";
const mesh = createMesh({ discovery: staticDiscovery({}) });

export const standard: typeof fetch = mesh.fetch;
export const global: typeof globalThis.fetch = mesh.fetch;
export const generated: (input: string | URL | Request, init?: RequestInit) => Promise<Response> = mesh.fetch;
export const ofRequests: (input: Request) => Promise<Response> = mesh.fetch;
const init: RequestInit = { method: "POST", body: "x", headers: { a: "b" }, signal: AbortSignal.timeout(1) };
export const calls: Promise<unknown>[] = [
  mesh.fetch("svc/", init),
  mesh.fetch(new Request("http://svc/", init), init),
  mesh.fetch(new URL("http://svc/"), { ...init, mesh: { idempotent: true } }),
  mesh.fetch("svc/", { body: new FormData(), headers: new Headers() }),
  mesh.fetch("svc/", { method: "POST", body: async function* () { yield "x"; } }),
  mesh.request("svc/", init),
];
export const bytes: Promise<Uint8Array> = mesh.fetch("svc/").then((response) => response.bytes());

ky.create({ fetch: mesh.fetch });
createFetch({ fetch: mesh.fetch });
new OpenAI({ baseURL: "http://svc/v1", apiKey: "none", fetch: mesh.fetch });
createClient<object>({ baseUrl: "http://svc", fetch: mesh.fetch });
createTRPCClient({ links: [httpBatchLink({ url: "http://svc", fetch: mesh.fetch })] });
createTRPCClient({ links: [httpLink({ url: "http://svc", fetch: mesh.fetch })] });
createConnectTransport({ baseUrl: "http://svc", fetch: mesh.fetch });
createGrpcWebTransport({ baseUrl: "http://svc", fetch: mesh.fetch });

new FetchHttpHandler();
connectNodeAdapter({ routes: () => {} });
`;

/** Not for `exactOptionalPropertyTypes`, in which the types of undici 8 refuse those of undici 7. */
const dispatcherProgram = `
import { createMesh, staticDiscovery } from "inmesh";
import { type Dispatcher as Dispatcher7, fetch as fetch7, request as request7, setGlobalDispatcher as setGlobalDispatcher7 } from "undici";
import { type Dispatcher as Dispatcher8, fetch as fetch8, request as request8, setGlobalDispatcher as setGlobalDispatcher8 } from "undici-8";
const mesh = createMesh({ discovery: staticDiscovery({}) });
setGlobalDispatcher7(mesh.dispatcher());
setGlobalDispatcher8(mesh.dispatcher());
export const dispatcher7: Dispatcher7 = mesh.dispatcher();
export const dispatcher8: Dispatcher8 = mesh.dispatcher();
request7("http://svc/", { dispatcher: mesh.dispatcher() });
request8("http://svc/", { dispatcher: mesh.dispatcher() });
fetch7("http://svc/", { dispatcher: mesh.dispatcher() });
fetch8("http://svc/", { dispatcher: mesh.dispatcher() });
`;

const clients = ["ky", "ofetch", "openai", "openapi-fetch", "openapi-typescript-helpers", "undici"];
const scopes = ["@bufbuild", "@connectrpc", "@smithy", "@trpc"];
const isAvailable = available("compilers");
const compilerTimeoutMs = 120_000;

let directory: string;
let consumer: Consumer;

beforeAll(async () => {
  requireDist();
  if (!isAvailable) return;
  directory = await mkdtemp(join(tmpdir(), "inmesh-types-"));
  consumer = await install(await pack(directory), clients, {
    "package.json": '{ "private": true, "type": "module" }',
    "fetch.ts": fetchProgram,
    "dispatcher.ts": dispatcherProgram,
  });
  const modules = join(consumer.directory, "node_modules");
  const link = async (from: string, name: string) => {
    await mkdir(dirname(join(modules, name)), { recursive: true });
    await symlink(from, join(modules, name), "junction");
  };
  for (const scope of scopes) await link(join(root, "node_modules", scope), scope);
  const others = join(requireServer("compilers"), "node_modules");
  await link(join(others, "undici-8"), "undici-8");
  await link(join(root, "node_modules/@types/node"), "node-24-types");
  await link(join(others, "node-22-types"), "node-22-types");
});
afterAll(async () => {
  await consumer?.[Symbol.asyncDispose]();
  if (directory !== undefined) await rm(directory, { recursive: true, force: true });
});

const compilers = {
  "TypeScript 7": () => join(root, "node_modules/@typescript/native/bin/tsc"),
  "TypeScript 6": () => join(root, "node_modules/typescript/bin/tsc6"),
  "TypeScript 5.9": () => join(requireServer("compilers"), "node_modules/typescript-5.9/bin/tsc"),
  "TypeScript 5.8": () => join(requireServer("compilers"), "node_modules/typescript-5.8/bin/tsc"),
};
const libraries = { "beside the browser's types": ["es2024", "dom", "dom.iterable"], "without the browser's types": ["es2024"] };

// The compiler in Go is ten times as fast: it takes every combination, the others two.
const cases = Object.keys(compilers).flatMap((compiler) =>
  Object.keys(libraries).flatMap((library, index) =>
    ["node-22-types", "node-24-types"]
      .filter((_, at) => compiler === "TypeScript 7" || at === index)
      .map((node) => ({ compiler, library, node })),
  ),
);

async function mistakesOf(compiler: string, options: object, files: readonly string[]): Promise<string> {
  const compilerOptions = {
    strict: true,
    noEmit: true,
    // The declarations of the clients are theirs to check.
    skipLibCheck: true,
    target: "es2024",
    module: "nodenext",
    ...options,
  };
  await writeFile(join(consumer.directory, "project.json"), JSON.stringify({ compilerOptions, files }));
  const program = compilers[compiler as keyof typeof compilers]();
  const { code, stdout, stderr } = await consumer.run(
    process.execPath,
    [program, "-p", "project.json", "--pretty", "false"],
    compilerTimeoutMs,
  );
  return code === 0 ? "" : `${code} ${stdout}${stderr}`;
}

describe.skipIf(!isAvailable)("mesh.fetch is the fetch of others, and mesh.dispatcher() undici's dispatcher", () => {
  it.each(cases)(
    "for $compiler, $library, on $node",
    async ({ compiler, library, node }) => {
      const options = { lib: libraries[library as keyof typeof libraries], types: [node] };
      expect(await mistakesOf(compiler, options, ["fetch.ts", "dispatcher.ts"])).toBe("");
    },
    compilerTimeoutMs,
  );

  it(
    "for the strictest of users, to whom undefined is no absence",
    async () => {
      const options = { lib: ["es2024"], types: ["node-24-types"], exactOptionalPropertyTypes: true };
      expect(await mistakesOf("TypeScript 7", options, ["fetch.ts"])).toBe("");
    },
    compilerTimeoutMs,
  );
});
