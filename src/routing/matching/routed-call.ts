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
  #lowerPath: string | undefined = undefined;
  #host: string | undefined = undefined;

  begin(request: RoutableRequest): void {
    const at = request.path.indexOf("?");
    this.request = request;
    this.path = at === -1 ? request.path : request.path.slice(0, at);
    this.query = at === -1 ? "" : request.path.slice(at);
    this.#lowerPath = undefined;
    this.#host = undefined;
  }

  /** Lets go of the request. */
  end(): void {
    this.request = none;
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
