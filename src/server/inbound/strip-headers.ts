import type { ServerRequest } from "../node-server.ts";
import type { InboundPart, InboundRequest } from "./inbound-request.ts";
import { Networks } from "./networks.ts";
import type { TrustSettings } from "./trust-options.ts";

/** Headers by which a proxy names the client that it forwards for, and a mesh the identity that it has verified: from any other peer they are a claim. */
const claims = [
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-proto",
  "x-forwarded-protocol",
  "x-forwarded-scheme",
  "x-forwarded-ssl",
  "x-forwarded-server",
  "x-forwarded-prefix",
  "x-forwarded-path",
  "x-forwarded-uri",
  "x-forwarded-by",
  "x-forwarded-user",
  "x-forwarded-email",
  "x-forwarded-groups",
  "x-forwarded-preferred-username",
  "x-forwarded-access-token",
  "x-forwarded-client-cert",
  "x-original-forwarded-for",
  "x-original-host",
  "x-original-method",
  "x-original-uri",
  "x-original-url",
  "x-rewrite-url",
  "x-real-ip",
  "x-client-ip",
  "x-cluster-client-ip",
  "x-envoy-external-address",
  "x-envoy-internal",
  "x-url-scheme",
  "x-ssl-client-cert",
  "x-ssl-client-dn",
  "x-ssl-client-verify",
  "client-cert",
  "client-cert-chain",
  "true-client-ip",
  "cf-connecting-ip",
  "fastly-client-ip",
  "front-end-https",
  "l5d-client-id",
  "x-mesh-identity",
  "x-mesh-refused",
];

/** Longest name of a header that is looked at for these: longer ones are none of them. */
const maxLength = 64;

/**
 * Takes headers out that only a trusted peer may send, before anything reads them: from the list of raw headers and from
 * the objects of headers; each of several with one name, and names with `_` for `-`, which some programs do not tell apart.
 */
export class StripHeaders implements InboundPart {
  readonly name = "trust";
  readonly #trusted: Networks;
  /** By length, so that most names are let pass without a comparison. */
  readonly #stripped: ReadonlySet<string>;
  readonly #lengths: ReadonlySet<number>;

  constructor({ peers, alsoStrip, keep }: TrustSettings) {
    this.#trusted = new Networks("inbound: trust.peers", peers);
    const kept = new Set(keep.map(plainName));
    this.#stripped = new Set([...claims, ...alsoStrip].map(plainName).filter((name) => !kept.has(name)));
    this.#lengths = new Set([...this.#stripped].map(({ length }) => length));
  }

  arrive({ peer, request }: Pick<InboundRequest, "peer" | "request">): boolean {
    if (!peer.isIn(this.#trusted)) this.strip(request);
    return false;
  }

  /** Takes the headers out of a request from a peer that is not trusted. */
  strip(request: ServerRequest): void {
    const raw = request.rawHeaders;
    for (let index = 0; index < raw.length; index += 2) {
      if (this.#isStripped(raw[index] as string)) {
        this.#remove(request);
        return;
      }
    }
  }

  #isStripped(name: string): boolean {
    return name.length <= maxLength && this.#lengths.has(name.length) && this.#stripped.has(plainName(name));
  }

  #remove(request: ServerRequest): void {
    const raw = request.rawHeaders;
    // First: Node.js makes these objects when they are first asked for, and has counted the raw headers for that.
    for (const headers of [request.headers, (request as { readonly headersDistinct?: object }).headersDistinct])
      for (const name of Object.keys(headers ?? {})) if (this.#isStripped(name)) Reflect.deleteProperty(headers as object, name);
    let to = 0;
    for (let index = 0; index + 1 < raw.length; index += 2) {
      if (this.#isStripped(raw[index] as string)) continue;
      raw[to++] = raw[index] as string;
      raw[to++] = raw[index + 1] as string;
    }
    raw.length = to;
  }
}

function plainName(name: string): string {
  const lower = name.toLowerCase();
  // Hardly any has one, and looking costs less than replacing nothing.
  return lower.includes("_") ? lower.replaceAll("_", "-") : lower;
}
