import { requestHeadersOfTheMesh } from "../../core/http/own-headers.ts";
import { removeHeaders } from "../../core/http/raw-headers.ts";
import type { ServerRequest } from "../node-server.ts";
import { claims, plainName } from "./claims.ts";
import type { InboundPart, InboundRequest } from "./inbound-request.ts";
import { Networks } from "./networks.ts";
import type { TrustSettings } from "./trust-options.ts";

/** Longest name of a header that is looked at for these: longer ones are none of them. */
const maxLength = 64;

/**
 * Takes headers out that only a trusted peer may send, before anything reads them: from the list of raw headers and from
 * the objects of headers, and from those of trailers; each of several with one name, and names with `_` for `-`, which some programs do not tell apart.
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

  /** Takes the headers out of a request from a peer that is not trusted, and its trailers when they have come. */
  strip(request: ServerRequest): void {
    const raw = request.rawHeaders;
    let isFound = false;
    let mayTrail = "stream" in request && request.stream.endAfterHeaders !== true;
    for (let index = 0; index < raw.length && !isFound; index += 2) isFound = this.#isStripped(raw[index] as string);
    for (let index = 0; index < raw.length && !mayTrail; index += 2) mayTrail = isTransferEncoding(raw[index] as string);
    if (mayTrail) {
      // Trailers are there for a handler with the end of the request, or now where something has read it already.
      request.prependOnceListener("end", () => this.#stripTrailers(request));
      this.#stripTrailers(request);
    }
    if (isFound)
      removeHeaders({ raw, objects: [request.headers, (request as Distinct).headersDistinct] }, (name) => this.#isStripped(name));
  }

  /** Names of the mesh's own have no meaning in a trailer; a program that adds trailers to headers would give them one. */
  #stripTrailers(request: ServerRequest): void {
    const raw = request.rawTrailers;
    if (raw.length === 0) return;
    const objects = [request.trailers, (request as Distinct).trailersDistinct];
    removeHeaders({ raw, objects }, (name) => this.#isStripped(name) || requestHeadersOfTheMesh.has(plainName(name)));
  }

  #isStripped(name: string): boolean {
    return name.length <= maxLength && this.#lengths.has(name.length) && this.#stripped.has(plainName(name));
  }
}

/** Requests of HTTP/2 do not have these. */
interface Distinct {
  readonly headersDistinct?: object;
  readonly trailersDistinct?: object;
}

function isTransferEncoding(name: string): boolean {
  return name.length === 17 && name.toLowerCase() === "transfer-encoding";
}
