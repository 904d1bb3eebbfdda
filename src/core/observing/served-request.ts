import type { RpcMethod } from "../rpc/rpc-method.ts";

/** A request that this process serves, as observers see it. It is the request itself: what it does not offer here may change. */
export interface ServedRequest {
  readonly method: string;
  /** Path and query as they were sent: `/items?page=2`. */
  readonly target: string;
  readonly scheme: "http" | "https";
  /** `1.0`, `1.1` or `2.0`. */
  readonly httpVersion: string;
  /** The pattern of the path, as the options of the server name it: `/items/:id`. */
  readonly route: string | undefined;
  /** The address of the other end of the connection; `undefined` for a Unix socket. */
  readonly peerAddress: string | undefined;
  /** Time of its arrival, in the milliseconds of the clock. */
  readonly startedAt: number;
  /** Whether it came in clear text to a server with an identity, which `callers.mode: "permissive"` lets pass; absent means no. */
  readonly isClearTextBesideTls?: boolean;
  /** The method of gRPC that it calls; absent for other requests. */
  readonly rpc?: RpcMethod | undefined;
  /** Whether another tool has its hand on the server's requests, as the instrumentations of OpenTelemetry have: it reports the request too. */
  readonly isInstrumented: boolean;
  /** The value of a header, by its name in lower case; of several with this name the first. */
  header(name: string): string | undefined;
}

/** A decision by the rules of a server: `refused` where they were not asked, as for a path that they cannot judge; `dry-run-denied` for a request that is let pass. */
export type AuthorizationDecision = "allowed" | "denied" | "dry-run-denied" | "refused";

/** The decision on one request. */
export interface ServedAuthorization {
  readonly decision: AuthorizationDecision;
  /** The rule that has decided; `undefined` where none has. */
  readonly ruleId: string | undefined;
}

/** The end of a served request: its response has been sent, or its connection has closed. */
export interface ServedEnd {
  /** The status of the response; `undefined` where none has begun. */
  readonly status: number | undefined;
  /** The status of a call of gRPC: `CANCELLED` where its caller has gone before one; absent for other requests. */
  readonly rpcStatus?: number | undefined;
  /** The part of the server that answered before any handler has seen the request: `concurrency`, `rate limit`; `undefined` for a handler. */
  readonly refusedBy: string | undefined;
  /** The decision on the request; `undefined` where the server has no `authorization`. */
  readonly authorization?: ServedAuthorization | undefined;
  /** Whether the response was sent to its end; `false` where the connection closed before. */
  readonly isComplete: boolean;
  /** Milliseconds from its arrival to this end. */
  readonly totalMs: number;
}

/** Follows one served request. */
export interface ServedObserver {
  /** Runs the handler within a context of the observer. Must call `run` once, synchronously, and return its result. */
  around?<T>(run: () => T): T;
  /** Called once, at the end of the request. */
  onEnd?(end: ServedEnd): void;
}
