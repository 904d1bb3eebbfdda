import type { Discovery } from "../src/discovery/discovery.ts";

const loopbackUrl = /^(https?):\/\/((?:[^/?#@\\]*@)?)(localhost|127(?:\.\d+){3}|\[::1\])(?::(\d+))?(?=[/?#]|$)/i;

/** An origin on loopback. */
interface Place {
  readonly origin: string;
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
}

/**
 * Service names for loopback origins. A target of the mesh names a service where the suite has `http://localhost:8080`, so each origin
 * that the suite calls gets a service name with that one instance. The rest of a target stays as it is, and no other host can be
 * reached.
 */
export class LoopbackTargets {
  readonly #places = new Map<string, Place>();
  readonly #socketPath: string | undefined;

  readonly discovery: Discovery = {
    name: "the origins that the suite calls",
    emptyPolicy: "trust",
    allowSocketPaths: true,
    watch: (service, signal) => this.#watch(service, signal),
  };

  /** @param socketPath the Unix socket at which all of them are */
  constructor(socketPath?: string) {
    this.#socketPath = socketPath;
  }

  /** `url` with its origin replaced by a service name; unchanged when the origin is not on loopback. */
  named(url: string): string {
    const found = loopbackUrl.exec(url);
    if (found === null) return url;
    const [origin, scheme = "", userInfo = "", host = "", port] = found;
    const secure = scheme.toLowerCase() === "https";
    const place: Place = {
      origin: origin.replace(userInfo, ""),
      host: host.replace(/[[\]]/g, ""),
      port: Number(port ?? (secure ? 443 : 80)),
      secure,
    };
    const name = `${secure ? "tls" : "at"}-${place.host.replace(/[^a-z0-9]/gi, "-")}-${place.port}`;
    this.#places.set(name, place);
    return `http://${userInfo}${name}${url.slice(origin.length)}`;
  }

  /** The inverse of {@link named}: `url` with its service name replaced by the origin. */
  unnamed(url: string): string {
    const name = /^http:\/\/([^/]+)/.exec(url)?.[1] ?? "";
    const place = this.#places.get(name);
    return place === undefined ? url : place.origin + url.slice("http://".length + name.length);
  }

  async *#watch(service: string, signal: AbortSignal) {
    const place = this.#places.get(service);
    const socketPath = this.#socketPath;
    const at = socketPath === undefined ? {} : { socketPath };
    yield place === undefined ? [] : [{ id: service, host: place.host, port: place.port, secure: place.secure, ...at }];
    if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  }
}
