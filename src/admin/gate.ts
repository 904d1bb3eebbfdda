import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";

/** Options of a {@link Gate}. */
export interface GateOptions {
  /** The host that the server listens on. */
  readonly host: string;
  /** Further host names of the server. */
  readonly allowedHosts: readonly string[];
  readonly token: string | undefined;
  /** Whether reading the API takes the token too. */
  readonly readsNeedToken: boolean;
}

/** Why a request is refused. */
export interface Refusal {
  readonly status: 400 | 401 | 403 | 415;
  readonly why: string;
}

const localNames: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];

/**
 * Decides which requests may read and which may change. Browsers on this machine run foreign pages too, so their requests are told from
 * those of the own page.
 */
export class Gate {
  readonly #hosts: ReadonlySet<string>;
  readonly #tokenDigest: Buffer | undefined;
  readonly #readsNeedToken: boolean;

  constructor({ host, allowedHosts, token, readsNeedToken }: GateOptions) {
    this.#hosts = new Set([...localNames, inBrackets(host.toLowerCase()), ...allowedHosts.map((name) => inBrackets(name.toLowerCase()))]);
    this.#tokenDigest = token === undefined ? undefined : digest(token);
    this.#readsNeedToken = readsNeedToken;
  }

  /** Whether changes are possible: there is a token. */
  get canChange(): boolean {
    return this.#tokenDigest !== undefined;
  }

  /** The reason to refuse `request` whatever it asks for; `undefined` when there is none. */
  any(request: IncomingMessage): Refusal | undefined {
    // DNS rebinding: a foreign name that was made to point here would make a foreign page same-origin. Only this header shows it.
    if (this.#hosts.has(nameOf(request.headers.host))) return undefined;
    return { status: 403, why: "the Host header names another host; allowedHosts adds names under which this one is reached" };
  }

  /** The reason to refuse `request` reading the API. */
  read(request: IncomingMessage): Refusal | undefined {
    return this.#readsNeedToken ? this.#token(request) : undefined;
  }

  /** The reason to refuse `request` a change. */
  change(request: IncomingMessage): Refusal | undefined {
    const { origin, host, "sec-fetch-site": site, "content-type": type = "" } = request.headers;
    if (!this.canChange) return { status: 403, why: "changes are off: admin() was given no token" };
    if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`)
      return { status: 403, why: "the request comes from a page of another origin" };
    if (site !== undefined && site !== "same-origin" && site !== "none")
      return { status: 403, why: "the request comes from a page of another origin" };
    if (!/^application\/json *(;|$)/i.test(type)) return { status: 415, why: "changes are sent as application/json" };
    return this.#token(request);
  }

  #token({ headers }: IncomingMessage): Refusal | undefined {
    const given = /^Bearer (.+)$/i.exec(headers.authorization ?? "")?.[1];
    // Digests have equal length, which the comparison needs, and do not disclose that of the token.
    if (given !== undefined && this.#tokenDigest !== undefined && timingSafeEqual(digest(given), this.#tokenDigest)) return undefined;
    return { status: 401, why: given === undefined ? "this takes the token: Authorization: Bearer TOKEN" : "the token is wrong" };
  }
}

/** Whether `host` is a loopback address, which only this machine reaches. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

/** A host as a Host header writes it: IPv6 in brackets. */
export function inBrackets(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host;
}

/** The host of `host:port`, in lower case. */
function nameOf(header: string | undefined): string {
  return (header ?? "").replace(/:\d*$/, "").toLowerCase();
}

function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
