import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type * as Api from "@opentelemetry/api";

/** The property of `globalThis` in which every copy of version 1 of the API keeps what is registered with it. */
const registrations: symbol = Symbol.for("opentelemetry.js.api.1");

let loaded: typeof Api | undefined;
let isImporting = false;

/**
 * `@opentelemetry/api`, loaded when something has first been registered with it; `undefined` before, which costs nanoseconds to find out.
 * Its fifty files are a seventh of what a process pays up to its first call, and without an SDK they do nothing.
 */
export function openTelemetryApi(): typeof Api | undefined {
  if (loaded === undefined && registrations in globalThis) load();
  return loaded;
}

/** The same where a tracer, a meter or a context has been given, which come from the API: something has been registered then. */
export function loadedApi(): typeof Api {
  if (loaded === undefined) load();
  return loaded as typeof Api;
}

/** At once, so that no call after a registration is missed; by its URL, so that it is the copy that `import` gives. */
function load(): void {
  if (isImporting) return;
  try {
    loaded = createRequire(import.meta.url)(fileURLToPath(import.meta.resolve("@opentelemetry/api"))) as typeof Api;
  } catch {
    // In a bundle the package is no file: the bundle's own copy comes a moment later.
    isImporting = true;
    void import("@opentelemetry/api").then(
      (api) => {
        loaded = api;
      },
      () => {},
    );
  }
}
