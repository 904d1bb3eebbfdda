import { checkFunction, checkKeys, checkObject, refuseOption } from "../../core/settings/checks.ts";
import { endReply, type ServerReply, type ServerRequest } from "../node-server.ts";
import { Readiness } from "../readiness.ts";
import { Inbound } from "./inbound.ts";
import { type InboundOptions, inboundOptions } from "./inbound-options.ts";

/** Options of {@link inbound}. */
export interface MiddlewareOptions extends InboundOptions {
  /** The mesh whose observers are told of requests, as its `openTelemetry()` and `prometheus()`. Default: none is told. */
  readonly mesh?: object;
  /** Whether this program is ready for requests; as `ready` of `serve`. Default: always. */
  readonly ready?: () => boolean | Promise<boolean>;
}

/** A middleware: for a listener of `node:http` and `node:http2` with the handler as `next`, and for `app.use` of Express. */
export interface InboundMiddleware extends AsyncDisposable {
  /**
   * Sees a request, and answers it or calls `next`, at once or when it has got a place; with an error only where this code fails itself. Without `next`, what
   * it does not answer gets 404.
   */
  (request: ServerRequest, reply: ServerReply, next?: (error?: unknown) => void): void;
  /** Writes the rest of the access log, and ends its timer. */
  close(): Promise<void>;
}

/**
 * Makes a middleware that does for incoming requests what a mesh does for calls: health and readiness, deadlines, trust in headers, limits, load report,
 * metrics, spans and the access log. `serve(server, { inbound })` does the same for a whole server, upgrades and all frameworks included, and knows when it
 * leaves; this is for a part of one.
 * @throws TypeError or RangeError naming the option, for a wrong one.
 */
export function inbound({ mesh, ready, ...options }: MiddlewareOptions = {}): InboundMiddleware {
  checkObject("inbound: options", options);
  checkKeys("inbound", options, [...inboundOptions.names, "mesh", "ready"]);
  inboundOptions.checkValues("inbound: ", options);
  if (mesh !== undefined && (typeof mesh !== "object" || mesh === null)) refuseOption("inbound: mesh", mesh, "a mesh");
  checkFunction("inbound: ready", ready);
  const settings = inboundOptions.settle(options);
  const readiness = new Readiness(ready, settings.clock);
  readiness.open();
  const host = new Inbound(settings, { mesh, readiness: () => readiness.answer() });
  const middleware = (request: ServerRequest, reply: ServerReply, next: (error?: unknown) => void = () => answerNotFound(reply)): void => {
    const record = host.openAlone(request, reply, next);
    if (record === undefined) next();
    else if (!record.run()) record.handle();
  };
  const close = (): Promise<void> => host.close();
  return Object.assign(middleware, { close, [Symbol.asyncDispose]: close });
}

function answerNotFound(reply: ServerReply): void {
  if (reply.headersSent) return;
  reply.statusCode = 404;
  endReply(reply, "not found\n");
}
