/** Single files of undici 7, which have no types of their own, with the types of the package. */
declare module "undici/lib/api/index.js" {
  import type { Dispatcher } from "undici";

  /** The methods that undici's index puts on every dispatcher. */
  const methods: Pick<Dispatcher, "request" | "stream" | "pipeline" | "upgrade" | "connect">;
  export default methods;
}

declare module "undici/lib/core/request.js" {
  import type { Dispatcher } from "undici";

  /** A request as undici's own clients have it: checked, with its body in few forms. */
  export default class Request {
    constructor(origin: string, options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler);
    readonly method: string;
    readonly path: string;
    /** The header `host`, which `headers` does not have. */
    readonly host: string | null;
    /** The header `content-length`, which `headers` does not have. */
    readonly contentLength: number | null;
    /** Names and values in turn. */
    readonly headers: readonly (string | readonly string[])[];
    readonly body: Uint8Array | Blob | AsyncIterable<Uint8Array | string> | null;
    readonly aborted: boolean;
    readonly completed: boolean;
    onConnect(abort: (error?: Error | null) => void): void;
    onBodySent(chunk: Uint8Array): void;
    onRequestSent(): void;
    onResponseStarted(): void;
    onHeaders(status: number, headers: Buffer[], resume: () => void, statusText: string): boolean | undefined;
    onData(chunk: Buffer): boolean | undefined;
    onComplete(trailers: object): void;
    onError(error: Error): void;
  }
}

declare module "undici/lib/core/errors.js" {
  import { errors } from "undici";
  export default errors;
}

declare module "undici/lib/dispatcher/agent.js" {
  import { Agent } from "undici";
  export default Agent;
}

declare module "undici/lib/dispatcher/dispatcher.js" {
  import { Dispatcher } from "undici";
  export default Dispatcher;
}

declare module "undici/lib/dispatcher/pool.js" {
  import { Pool } from "undici";
  export default Pool;
}
