// Loaded before a test file of the suite: puts the fetch that is measured where the file looks for one.
import { appendFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import * as nodeTest from "node:test";
import { createMesh } from "../src/mesh/mesh.ts";
import { subjectVariable, suiteVariable, touchedVariable } from "./environment.ts";
import { LoopbackTargets } from "./loopback-targets.ts";

type Fetch = (...args: unknown[]) => Promise<unknown>;
type FetchModule = Record<string, unknown> & { fetch: Fetch };

const requireOfSuite = createRequire(join(process.env[suiteVariable] as string, "package.json"));
const nodeFetch = globalThis.fetch as unknown as Fetch;

/** `mesh.fetch` as the suite calls it: with URLs of loopback servers. */
function meshFetch(): Fetch {
  const targets = new LoopbackTargets();
  const mesh = createMesh({ discovery: targets.discovery, propagateDeadline: false });
  const fetch: Fetch = async (input, init) => {
    const response = await mesh.fetch(namedInput(targets, input) as string, init as undefined);
    // The name is ours, not the mesh's: a caller in real life knows the service by it.
    Object.defineProperty(response, "url", { value: targets.unnamed(response.url), configurable: true });
    return response;
  };
  return Object.defineProperty(fetch, "length", { value: mesh.fetch.length });
}

function namedInput(targets: LoopbackTargets, input: unknown): unknown {
  if (typeof input === "string") return targets.named(input);
  if (input instanceof URL) return new URL(targets.named(input.href));
  if (!(input instanceof Request)) return input;
  return new Proxy(input, {
    get: (request, key) => {
      const value: unknown = Reflect.get(request, key, request);
      if (key === "url") return targets.named(request.url);
      return typeof value === "function" ? value.bind(request) : value;
    },
  });
}

/** Notes which tests call fetch: the others say nothing about it. */
function noted(fetch: Fetch): Fetch {
  const getTestContext = (nodeTest as { getTestContext?: () => { fullName: string } | undefined }).getTestContext;
  const seen = new Set<string>();
  const noting: Fetch = (...args) => {
    const name = getTestContext?.()?.fullName ?? "";
    if (!seen.has(name)) appendFileSync(process.env[touchedVariable] as string, `${JSON.stringify(name)}\n`);
    seen.add(name);
    return fetch(...args);
  };
  return Object.defineProperties(noting, { name: { value: fetch.name }, length: { value: fetch.length } });
}

function install(module: FetchModule, fetch: Fetch, isOwn: boolean): void {
  module.fetch = noted(fetch);
  // A program that uses `mesh.fetch` or Node's has Node's classes around it, not those of the package.
  if (!isOwn) Object.assign(module, { Headers, Request, Response, FormData });
}

const subject = process.env[subjectVariable];
const fetch = subject === "mesh" ? meshFetch() : nodeFetch;
for (const entry of ["./index.js", "./index-fetch.js"]) {
  const module = requireOfSuite(entry) as FetchModule;
  install(module, subject === "undici" ? module.fetch : fetch, subject === "undici");
}
if (subject !== "undici") globalThis.fetch = noted(fetch) as typeof globalThis.fetch;
