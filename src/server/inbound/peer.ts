import type { Http2ServerRequest } from "node:http2";
import type { Server, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { isClearTextBesideTls } from "../entrance/clear-text.ts";
import type { ServerRequest } from "../node-server.ts";
import { identityOf } from "./identity.ts";
import type { Networks } from "./networks.ts";

const peerKey = Symbol("inmesh peer");

interface Kept {
  [peerKey]?: Peer;
}

/** The other end of a connection: found out once per connection, since its address and certificate stay the same. */
export class Peer {
  /** Its address; `undefined` for a Unix socket. An IPv4 address in an IPv6 one is written plainly. */
  readonly address: string | undefined;
  /** The identity in its client certificate, where the server has verified one: the SPIFFE id, else the subject. */
  readonly identity: string | undefined;
  readonly isSecure: boolean;
  /** Whether it has come in clear text to a server with an identity. */
  readonly isClearTextBesideTls: boolean;
  /** Whether the instrumentation of OpenTelemetry has its hand on the requests of the server. */
  readonly isInstrumented: boolean;
  readonly #socket: Socket;
  #trust: { readonly networks: Networks; readonly isTrusted: boolean } | undefined = undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.address = plainAddress(socket.remoteAddress);
    this.isSecure = (socket as Partial<TLSSocket>).encrypted === true;
    this.identity = this.isSecure ? identityOf(socket as TLSSocket) : undefined;
    this.isClearTextBesideTls = isClearTextBesideTls(socket);
    this.isInstrumented = isInstrumented((socket as { server?: Server }).server);
  }

  /** Whether it is in one of these networks. A Unix socket counts as this machine. */
  isIn(networks: Networks): boolean {
    if (this.#trust?.networks !== networks) this.#trust = { networks, isTrusted: networks.has(this.address) };
    return this.#trust.isTrusted;
  }

  /** Bytes that were written on the connection so far. */
  get bytesWritten(): number {
    return this.#socket.bytesWritten;
  }
}

/** The other end of the connection that a request has come on. */
export function peerOf(request: ServerRequest): Peer {
  if ("stream" in request) return peerOfSession(request);
  const holder = request.socket as Socket & Kept;
  holder[peerKey] ??= new Peer(holder);
  return holder[peerKey];
}

/** Of HTTP/2 the session is asked: its socket is a proxy that refuses most properties. */
function peerOfSession({ stream }: Http2ServerRequest): Peer {
  const { session } = stream;
  const holder = (session ?? stream) as unknown as Kept;
  holder[peerKey] ??= new Peer((session?.socket ?? {}) as Socket);
  return holder[peerKey];
}

function plainAddress(address: string | undefined): string | undefined {
  return address?.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}

/** Its tools mark a method that they have put their own in the place of; see `shimmer` in `@opentelemetry/instrumentation`. */
function isInstrumented(server: Server | undefined): boolean {
  if (server === undefined) return false;
  const prototype = Object.getPrototypeOf(server) as Partial<Server> | null;
  return [server.emit, prototype?.emit].some((emit) => (emit as { readonly __wrapped?: unknown } | undefined)?.__wrapped === true);
}
