import type { Buffer } from "node:buffer";
import { MeshError } from "../core/errors.ts";
import { isRedirect } from "../fetch/redirect.ts";
import { byName } from "../fetch/reply.ts";
import { shownUrl } from "../fetch/shown-url.ts";
import type { DispatchHandler } from "../wire/undici/undici.ts";

/**
 * A handler for a request that has bypassed the mesh: a redirect to a host that is a service of the mesh is an error. A client that followed it
 * would call, for a server outside, what cannot be reached from outside.
 */
export function outsideHandler(handler: DispatchHandler, url: string, isOutside: (origin: string) => boolean): DispatchHandler {
  const check = (status: number, location: unknown): void => {
    if (!isRedirect(status) || location === undefined) return;
    const target = URL.parse(String([location].flat()[0]), url) ?? undefined;
    if (target !== undefined && /^https?:$/.test(target.protocol) && !isOutside(target.origin)) throw refused(url, target);
  };
  // Both generations of handlers, whatever methods they have: see dispatch-sink.ts.
  const checked: Record<string, (...args: never[]) => unknown> = {
    onHeaders(status: number, headers: readonly Buffer[], ...rest: unknown[]) {
      check(status, locationIn(headers));
      return call(handler, "onHeaders", [status, headers, ...rest]);
    },
    onResponseStart(controller: unknown, status: number, headers: Readonly<Record<string, unknown>>, ...rest: unknown[]) {
      check(status, headers["location"]);
      return call(handler, "onResponseStart", [controller, status, headers, ...rest]);
    },
  };
  return new Proxy(handler, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return typeof name === "string" && Object.hasOwn(checked, name) ? checked[name] : value.bind(target);
    },
  });
}

function call(handler: object, name: string, args: readonly unknown[]): unknown {
  return (handler as Record<string, (...args: readonly unknown[]) => unknown>)[name]?.(...args);
}

function locationIn(headers: readonly Buffer[]): unknown {
  const lines = headers.map((part, index) => (index % 2 === 0 ? part.toString("latin1").toLowerCase() : part.toString("latin1")));
  return byName(lines)["location"];
}

function refused(url: string, target: URL): MeshError {
  return new MeshError("ERR_MESH_PROTOCOL", `${shownUrl(url)} redirects to ${shownUrl(target.href)}, which is a service of the mesh`, {
    service: target.hostname,
    maybeExecuted: true,
  });
}
