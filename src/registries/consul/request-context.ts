import { EventEmitter } from "node:events";
import type { ClientRequest, IncomingMessage } from "node:http";
import { ConsulError } from "./consul-error.ts";

/** What one request is made with beyond what the npm client can say. */
export interface RequestContextOptions {
  /** Query parameters the package does not know. */
  readonly query: Readonly<Record<string, string>>;
  /** Fields of the body the package does not know. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly maxBodyBytes: number;
  /** `false`: the request alone keeps no process alive. */
  readonly keepsProcess: boolean;
  /** Told when the answer is cut off or too large. */
  readonly onFault: (error: ConsulError) => void;
}

/**
 * The `ctx` of one request of the npm client: it makes the package give out the response beside the body, lets the
 * request be cancelled, and guards what the package does not look at.
 */
export class RequestContext extends EventEmitter {
  /** Read by the package. */
  readonly includeResponse = true;
  readonly query: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
  readonly #options: RequestContextOptions;

  constructor(options: RequestContextOptions) {
    super();
    this.query = options.query;
    this.body = options.body;
    this.#options = options;
  }

  /** Cancels the request and closes its connection; harmless when it is over. */
  cancel(): void {
    this.emit("cancel");
  }

  /** Watches a request of `node:http` for the two ends the package never notices. */
  guard(request: ClientRequest): ClientRequest {
    const { keepsProcess, maxBodyBytes, onFault } = this.#options;
    if (!keepsProcess) request.once("socket", (socket) => socket.unref());
    request.once("response", (response: IncomingMessage) => {
      let bytes = 0;
      response.on("data", (chunk: Uint8Array) => {
        bytes += chunk.byteLength;
        if (bytes > maxBodyBytes) onFault(new ConsulError(`the answer is larger than ${maxBodyBytes} bytes`));
      });
      // Cut off in mid-body: the package waits for an "end" that never comes.
      response.once("close", () => {
        if (!response.complete) onFault(new ConsulError("the answer was cut off", { code: "ECONNRESET" }));
      });
    });
    return request;
  }
}
