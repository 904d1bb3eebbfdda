import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";

/** What a {@link Gate} lets through. */
export interface GateOptions {
  /** The host that is listened on. */
  readonly host: string;
  /** Further names under which the server is reached, in lower case. */
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

/** Decides who may read and who may change. Browsers run the pages of others on this machine too: what they send is told from our own page's. */
export class Gate {
  readonly #hosts: ReadonlySet<string>;
  readonly #tokenDigest: Buffer | undefined;
  readonly #readsNeedToken: boolean;

  constructor({ host, allowedHosts, token, readsNeedToken }: GateOptions) {
    this.#hosts = new Set([...localNames, inBrackets(host.toLowerCase()), ...allowedHosts.map((name) => inBrackets(name.toLowerCase()))]);
    this.#tokenDigest = token === undefined ? undefined : digest(token);
    this.#readsNeedToken = readsNeedToken;
  }

  /** Whether anybody may change anything. */
  get canChange(): boolean {
    return this.#tokenDigest !== undefined;
  }

  /** Why nobody gets an answer to `request`; `undefined` when there is no reason. */
  any(request: IncomingMessage): Refusal | undefined {
    // A name of somebody else's that was made to point here (DNS rebinding) makes a foreign page our own, but for this header.
    if (this.#hosts.has(nameOf(request.headers.host))) return undefined;
    return { status: 403, why: "the Host header names another host; allowedHosts adds names under which this one is reached" };
  }

  /** Why `request` may not read the API. */
  read(request: IncomingMessage): Refusal | undefined {
    return this.#readsNeedToken ? this.#token(request) : undefined;
  }

  /** Why `request` may not change anything. */
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
    // Digests are of the same length, which the comparison needs and which tells nothing.
    if (given !== undefined && this.#tokenDigest !== undefined && timingSafeEqual(digest(given), this.#tokenDigest)) return undefined;
    return { status: 401, why: given === undefined ? "this takes the token: Authorization: Bearer TOKEN" : "the token is wrong" };
  }
}

/** Whether nobody but this machine reaches what listens on `host`. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

/** As a Host header has it. */
export function inBrackets(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host;
}

/** Of `host:port`, in lower case. */
function nameOf(header: string | undefined): string {
  return (header ?? "").replace(/:\d*$/, "").toLowerCase();
}

function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
