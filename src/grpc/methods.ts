import type { CallOptions, RpcCall } from "../core/dispatch.ts";
import { pathFault } from "../core/http/path-fault.ts";
import { quoted } from "../core/text/clean-text.ts";
import { prefixBytes } from "../rpc/frames.ts";
import { meshOptionsOf } from "./call-options.ts";
import type { MethodParts } from "./calls/call-parts.ts";
import { wholeAnswer } from "./calls/whole-answer.ts";

/** A call, as a client is about to make it. */
export interface GivenCall {
  readonly methodDefinition: { readonly path: string; readonly requestStream: boolean; readonly responseStream: boolean };
  readonly callOptions?: object | undefined;
}

/** More than this many are those of a program that makes paths up. */
const mostMethods = 1_000;

/** The methods that a client has called, each with what its calls share. */
export class Methods {
  /** The paths of those that may be executed twice. */
  readonly #idempotent: ReadonlySet<string>;
  readonly #unary: RpcCall;
  readonly #streaming: RpcCall = {
    protocol: "grpc",
    isStream: true,
    timeoutMs: undefined,
    timeoutHeader: "grpc-timeout",
    whole: undefined,
  };
  /** By the kind of the call and the path. */
  readonly #known = [0, 1, 2, 3].map(() => new Map<string, MethodParts>());

  constructor(idempotent: ReadonlySet<string>, maxReceiveBytes: number) {
    this.#idempotent = idempotent;
    const whole = wholeAnswer(maxReceiveBytes === -1 ? Number.POSITIVE_INFINITY : maxReceiveBytes + prefixBytes);
    this.#unary = { protocol: "grpc", isStream: false, timeoutMs: undefined, timeoutHeader: "grpc-timeout", whole };
  }

  /** The parts of a call; the same object for all calls of a method that have no options for the mesh. */
  of({ methodDefinition: { path, requestStream, responseStream }, callOptions }: GivenCall): MethodParts {
    const known = this.#known[(requestStream ? 1 : 0) + (responseStream ? 2 : 0)] as Map<string, MethodParts>;
    let parts = known.get(path);
    if (parts === undefined) {
      parts = this.#make(path, requestStream, responseStream);
      if (known.size < mostMethods) known.set(path, parts);
    }
    const own = meshOptionsOf(callOptions);
    return own === undefined ? parts : { ...parts, options: { ...parts.options, ...own } };
  }

  /** Whether parts are those of all calls of a method. */
  isKept(parts: MethodParts): boolean {
    return this.#known.some((known) => known.get(parts.path) === parts);
  }

  #make(path: string, isRequestStream: boolean, isResponseStream: boolean): MethodParts {
    const options: { -readonly [Key in keyof CallOptions]: CallOptions[Key] } = { route: path };
    if (this.#idempotent.has(path)) options.idempotent = true;
    if (isRequestStream || isResponseStream) {
      // A stream ends when its sides end it: no limit that is meant for answers knows when that is.
      options.timeoutMs = false;
      options.attemptTimeoutMs = false;
    }
    const fault = path.startsWith("/") ? pathFault(path) : "its path does not start with a slash";
    return {
      path,
      isRequestStream,
      isResponseStream,
      rpc: isResponseStream ? this.#streaming : this.#unary,
      options: Object.freeze(options),
      fault: fault === undefined ? undefined : `the path ${quoted(path)} is none of a method: ${fault}`,
    };
  }
}
