// Loaded before a test file of the suite: replaces the fetch that the file imports by the one that is tested.
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

/** `mesh.fetch` for the URLs of loopback servers, as the suite calls it. */
function meshFetch(): Fetch {
  const targets = new LoopbackTargets();
  const mesh = createMesh({ discovery: targets.discovery, propagateDeadline: false });
  const fetch: Fetch = async (input, init) => {
    const response = await mesh.fetch(namedInput(targets, input) as string, init as undefined);
    // The suite expects the origin that it called; the service name was made here.
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

/** `fetch`, which lists the tests that call it: all other tests of the suite are not about fetch. */
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
  // A program with `mesh.fetch` or Node's fetch uses Node's classes beside it, not those of the undici package.
  if (!isOwn) Object.assign(module, { Headers, Request, Response, FormData });
}

const subject = process.env[subjectVariable];
const fetch = subject === "mesh" ? meshFetch() : nodeFetch;
for (const entry of ["./index.js", "./index-fetch.js"]) {
  const module = requireOfSuite(entry) as FetchModule;
  install(module, subject === "undici" ? module.fetch : fetch, subject === "undici");
}
if (subject !== "undici") globalThis.fetch = noted(fetch) as typeof globalThis.fetch;
