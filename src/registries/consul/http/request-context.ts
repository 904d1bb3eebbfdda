import { EventEmitter } from "node:events";
import type { ClientRequest, IncomingMessage } from "node:http";
import { ConsulError } from "./consul-error.ts";

/** Options of one request that the npm client does not have. */
export interface RequestContextOptions {
  /** Query parameters the package does not know. */
  readonly query: Readonly<Record<string, string>>;
  /** Fields of the body the package does not know. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly maxBodyBytes: number;
  /** `false` when the request alone must not keep the process alive. */
  readonly keepsProcess: boolean;
  /** Called when the head of the answer has come. */
  readonly onHead: () => void;
  /** Called when the answer is cut off or too large. */
  readonly onFault: (error: ConsulError) => void;
}

/**
 * The `ctx` of one request of the npm client. It makes the package resolve with the response beside the body, lets the request be cancelled,
 * and checks what the package does not check.
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

  /** Watches a request of `node:http` for an answer that is too large or cut off, neither of which the package notices. */
  guard(request: ClientRequest): ClientRequest {
    const { keepsProcess, maxBodyBytes, onHead, onFault } = this.#options;
    if (!keepsProcess) request.once("socket", (socket) => socket.unref());
    request.once("response", (response: IncomingMessage) => {
      onHead();
      let bytes = 0;
      response.on("data", (chunk: Uint8Array) => {
        bytes += chunk.byteLength;
        if (bytes > maxBodyBytes) onFault(new ConsulError(`the answer is larger than ${maxBodyBytes} bytes`));
      });
      // When the body is cut off, the package waits for an "end" that never comes.
      response.once("close", () => {
        if (!response.complete) onFault(new ConsulError("the answer was cut off", { code: "ECONNRESET" }));
      });
    });
    return request;
  }
}
