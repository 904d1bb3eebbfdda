import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Http2SecureServer, Http2Server, Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { Server as SecureServer } from "node:https";
import { type GrpcApplication, type GrpcServer, grpcApplication, isGrpcServer } from "./grpc/grpc-js-server.ts";

/** The servers of Node.js that can be served: those of `node:http`, `node:https` and `node:http2`. */
export type NodeServer = Server | SecureServer | Http2Server | Http2SecureServer;

/** A request as a listener of {@link NodeServer} gets it. */
export type ServerRequest = IncomingMessage | Http2ServerRequest;

/** The response to a {@link ServerRequest}. */
export type ServerReply = ServerResponse | Http2ServerResponse;

/** Ends a response: the two kinds of them share no signature of the method. */
export function endReply(reply: ServerReply, text?: string): void {
  (reply as { end(text?: string): unknown }).end(text);
}

/** An application of a framework that owns its server, as Fastify's do. */
export interface Application {
  readonly server: NodeServer;
  /** Closes the server and what the application has opened. */
  close(): PromiseLike<unknown>;
}

/** A server, an application with one, or a server of `@grpc/grpc-js` that is bound. */
export type Servable = NodeServer | Application | GrpcServer;

/** A server, and the application around it if there is one. */
export interface ServedParts {
  readonly server: NodeServer;
  readonly application: Application | undefined;
  /** The application, where it is a server of gRPC. */
  readonly grpc?: GrpcApplication | undefined;
}

/** The server of `given`, and the application around it if there is one. */
export function serverOf(given: Servable): ServedParts {
  if (isGrpcServer(given)) {
    const application = grpcApplication(given);
    return { server: application.server, application, grpc: application };
  }
  if (isNodeServer(given)) return { server: given, application: undefined };
  if (typeof given === "object" && given !== null && isNodeServer(given.server) && typeof given.close === "function")
    return { server: given.server, application: given };
  const hint = typeof given === "function" ? "; of an Express application, what app.listen() returns" : "";
  throw new TypeError(
    `serve needs a server of node:http, node:https or node:http2, a Fastify instance or a Server of @grpc/grpc-js${hint}`,
  );
}

/** Whether requests on a server come as streams of HTTP/2. */
export function isHttp2(server: NodeServer): server is Http2Server | Http2SecureServer {
  return "updateSettings" in server;
}

/** Whether connections to a server begin with a TLS handshake. */
export function isSecure(server: NodeServer): boolean {
  return "setSecureContext" in server;
}

/** Whether a server of HTTP/2 speaks HTTP/1.1, too (`allowHTTP1`). */
export function isHttp1Allowed(server: NodeServer): boolean {
  return (
    !isHttp2(server) || Object.getOwnPropertySymbols(server).some((key) => allowsHttp1((server as unknown as Record<symbol, unknown>)[key]))
  );
}

/** Node keeps the options of a server of HTTP/2 behind a symbol of its own. */
function allowsHttp1(options: unknown): boolean {
  return typeof options === "object" && options !== null && (options as { allowHTTP1?: unknown }).allowHTTP1 === true;
}

function isNodeServer(value: unknown): value is NodeServer {
  const server = value as Partial<NodeServer> | null;
  return typeof server === "object" && server !== null && typeof server.emit === "function" && typeof server.address === "function";
}
