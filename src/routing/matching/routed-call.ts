import type { Random } from "../../core/clock.ts";
import type { MeshRequest } from "../../core/dispatch.ts";

/** A request, as far as routes look at it. */
export type RoutableRequest = Pick<MeshRequest, "service" | "method" | "path" | "headers" | "options">;

const none: RoutableRequest = { service: "", method: "", path: "/", headers: {}, options: {} };

/** A call as conditions see it. One object serves all decisions of a table, one after the other: a decision allocates nothing for it. */
export class RoutedCall {
  request: RoutableRequest = none;
  /** Without the query. */
  path = "/";
  /** With its question mark; empty where there is none. */
  query = "";
  #random: Random = Math.random;
  /** An index may tell of a match twice: chance decides once. */
  readonly #drawn = new Map<object, boolean>();
  #lowerPath: string | undefined = undefined;
  #host: string | undefined = undefined;

  begin(request: RoutableRequest, random: Random = Math.random): void {
    const at = request.path.indexOf("?");
    this.request = request;
    this.#random = random;
    if (this.#drawn.size > 0) this.#drawn.clear();
    this.path = at === -1 ? request.path : request.path.slice(0, at);
    this.query = at === -1 ? "" : request.path.slice(at);
    this.#lowerPath = undefined;
    this.#host = undefined;
  }

  /** Lets go of the request. */
  end(): void {
    this.request = none;
  }

  /** Whether chance lets the call through, for what asks; `share` is from 0 to 1. */
  draws(asker: object, share: number): boolean {
    const before = this.#drawn.get(asker);
    if (before !== undefined) return before;
    const isIn = this.#random() < share;
    this.#drawn.set(asker, isIn);
    return isIn;
  }

  /** The path in lower case. */
  get lowerPath(): string {
    this.#lowerPath ??= this.path.toLowerCase();
    return this.#lowerPath;
  }

  /** The host that was asked, in lower case and without port: the `host` header, or the service. */
  get host(): string {
    this.#host ??= plainHost(this.request.headers["host"] ?? this.request.service);
    return this.#host;
  }
}

/** A host in the one spelling that matches compare: in lower case, without port, and without the dot at the end. */
export function plainHost(host: string): string {
  return host.toLowerCase().replace(/:\d+$/, "").replace(/\.$/, "");
}
