import { MeshError } from "../core/errors.ts";
import { pathFault } from "../core/http/path-fault.ts";
import { shownUrl } from "./shown-url.ts";

/** A target that has been read: its service, and its path as it is sent, byte for byte. */
export interface Target {
  readonly service: string;
  /** Path and query, starting with `/`. */
  readonly path: string;
  /** The target begins with `https://` or `wss://`: the request is sent over TLS or not at all. */
  readonly requiresTls: boolean;
}

const scheme = /^(?:mesh|https?):\/\//;
/** An origin may also be that of a WebSocket. */
const originScheme = /^(?:mesh|https?|wss?):\/\//;
const label = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;
// Every form of an IPv4 address for the WHATWG URL standard and for `inet_aton`.
const numberForm = /^(?:0x[0-9a-f]*|\d+)(?:\.(?:0x[0-9a-f]*|\d+))*$/i;

/**
 * Reads `service/path`, `mesh://service/path` or `http(s)://service/path`. No URL parser is used, since it turns `x@evil`, `//evil`,
 * `2130706433` and look-alike letters into hosts that the caller did not mean.
 * @throws MeshError `ERR_MESH_INVALID_TARGET` with the reason, and without query or user information.
 */
export function parseTarget(target: string): Target {
  const prefix = scheme.exec(target)?.[0] ?? "";
  const nameEnd = endOfName(target, prefix.length);
  const name = target.slice(prefix.length, nameEnd);
  const fault = faultOfName(name);
  if (fault !== undefined) throw refused(target, "", fault);
  // The same text for all calls in a row, of which each would hold one.
  const service = lastName;
  const fragment = target.indexOf("#", nameEnd);
  const rest = target.slice(nameEnd, fragment === -1 ? undefined : fragment);
  const path = rest.startsWith("/") ? rest : `/${rest}`;
  checkPath(path, service, target);
  return { service, path, requiresTls: prefix === "https://" };
}

/**
 * Reads a target that comes in two parts, as clients of `node:http` and of undici have it: an origin (`http://service`, or the service alone) and
 * a path. Each is judged by itself, since together they may name another service: `http://users` and `-admin/x`.
 * @throws MeshError `ERR_MESH_INVALID_TARGET` as {@link parseTarget}, and for a path that does not start with a slash.
 */
export function parseOrigin(origin: string, path: string): Target {
  const prefix = originScheme.exec(origin)?.[0] ?? "";
  const service = origin.slice(prefix.length, origin.endsWith("/") ? -1 : undefined);
  const fault = faultOfName(service);
  if (fault !== undefined) throw refused(origin, "", fault);
  const shown = `${prefix}${service} with path ${path}`;
  if (!path.startsWith("/")) throw refused(shown, service, "the path does not start with a slash");
  const fragment = path.indexOf("#");
  const rest = fragment === -1 ? path : path.slice(0, fragment);
  checkPath(rest, service, shown);
  return { service, path: rest, requiresTls: prefix === "https://" || prefix === "wss://" };
}

function checkPath(path: string, service: string, target: string): void {
  const fault = pathFault(path);
  if (fault !== undefined) throw refused(target, service, fault);
}

function endOfName(target: string, from: number): number {
  for (let index = from; index < target.length; index++) {
    const code = target.charCodeAt(index);
    if (code === 47 || code === 63 || code === 35) return index;
  }
  return target.length;
}

/** The last valid name: most calls are for the same few services. */
let lastName = "";

function faultOfName(name: string): string | undefined {
  if (name === lastName && name !== "") return undefined;
  const fault = findFault(name);
  if (fault === undefined) lastName = name;
  return fault;
}

function findFault(name: string): string | undefined {
  if (name === "") return "it names no service";
  if (name.length > 253) return "the service name is longer than 253 characters";
  if (name.includes("@")) return "user information is not allowed";
  if (name.includes(":")) return "a port or another scheme is not allowed: discovery gives the port";
  for (const part of name.split(".")) {
    if (!label.test(part)) {
      return "a service name is dot-separated labels of 1 to 63 characters of A-Z, a-z, 0-9, _ and -, without - at either end";
    }
  }
  return numberForm.test(name) ? "an IP address is not a service name" : undefined;
}

function refused(target: string, service: string, reason: string): MeshError {
  return new MeshError("ERR_MESH_INVALID_TARGET", `target ${shownUrl(target)} is refused: ${reason}`, {
    service,
    maybeExecuted: false,
  });
}
