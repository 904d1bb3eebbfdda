import type { Http2SecureServer, Http2Server } from "node:http2";

/** A server of `@grpc/grpc-js`, by what is asked of it. */
export interface GrpcServer {
  bindAsync(...args: never[]): void;
  tryShutdown(done: (error?: Error) => void): void;
  forceShutdown(): void;
}

/** The parts of it that its types keep private. */
interface Inside {
  /** Its servers of HTTP/2: one for each address that it is bound to. */
  readonly http2Servers?: unknown;
  /** Its methods, by their paths. */
  readonly handlers?: unknown;
}

/** A server of `@grpc/grpc-js` as one that is served: its first server of HTTP/2, to which the others hand their connections. */
export interface GrpcApplication {
  readonly server: Http2Server | Http2SecureServer;
  /** Those of its further addresses. */
  readonly others: readonly (Http2Server | Http2SecureServer)[];
  /** The names of its services at present: `shop.v1.Orders`. */
  services(): readonly string[];
  /** Ends what is left of it. */
  close(): Promise<void>;
}

/** Whether something is a server of `@grpc/grpc-js`, of whatever copy of it. */
export function isGrpcServer(given: unknown): given is GrpcServer {
  const { bindAsync, tryShutdown, forceShutdown } = (given ?? {}) as Partial<GrpcServer>;
  return [bindAsync, tryShutdown, forceShutdown].every((each) => typeof each === "function");
}

/**
 * The servers of HTTP/2 of a gRPC server. Its calls are seen there and not by an interceptor, which sees none of a method that does not exist.
 * @throws TypeError where it is not bound, and for a version of `@grpc/grpc-js` that keeps them elsewhere.
 */
export function grpcApplication(given: GrpcServer): GrpcApplication {
  const { http2Servers, handlers } = given as Inside;
  if (!(http2Servers instanceof Map && handlers instanceof Map))
    throw new TypeError(
      "serve: this version of @grpc/grpc-js is not known (~1.14 is): its Server does not have http2Servers and handlers as two maps",
    );
  const all = [...http2Servers.keys()] as (Http2Server | Http2SecureServer)[];
  const [server, ...others] = all.filter(({ listening }) => listening);
  if (server === undefined) throw new TypeError("serve: the gRPC server is not bound; call serve once bindAsync has called back");
  return {
    server,
    others,
    services: () => [...new Set([...handlers.keys()].map((path) => String(path).split("/")[1] ?? ""))],
    // Nothing is under way by then, and what hangs all the same must not hold the process.
    close: async () => given.forceShutdown(),
  };
}
