import type { ServerRequest } from "../node-server.ts";
import { claims, plainName } from "./claims.ts";
import type { InboundPart, InboundRequest } from "./inbound-request.ts";
import { Networks } from "./networks.ts";
import type { TrustSettings } from "./trust-options.ts";

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
