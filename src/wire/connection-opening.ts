import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls, type SecureContext, type TLSSocket } from "node:tls";
import type { Clock } from "../core/clock.ts";
import type { Endpoint } from "../core/endpoint.ts";
import { type HostAddress, handOver, type Opened, raceAddresses } from "./address-race.ts";
import { type AddressRules, guardedLookup } from "./guarded-lookup.ts";

/** All that one connection needs to know. */
export interface ConnectionTarget {
  readonly endpoint: Endpoint;
  /** Which addresses are refused beside those that no instance can have. */
  readonly addressRules: AddressRules;
  /** The time for all of it, in milliseconds, by which the addresses of one host are tried one after the other. */
  readonly limitMs: number;
  readonly clock: Clock;
  /** `true` for a connection that does not keep the process alive. */
  readonly isUnref: boolean;
  /** The protocols to offer where the instance speaks TLS (ALPN). */
  readonly alpn: readonly string[];
  /** The name that the certificate must carry, and that the handshake asks for (SNI); `undefined`: the host of the endpoint. */
  readonly serverName: string | undefined;
  readonly secureContext: SecureContext | undefined;
  /** Judges the peer after the handshake; `undefined` leaves the name to the handshake. */
  readonly fault: ((socket: TLSSocket) => Error | undefined) | undefined;
}

/** As undici has them. */
const bufferBytes = 65_536;
const keepAliveMs = 60_000;

/** One connection that is being opened: the addresses of the host, the race of them, and the TLS handshake. */
export class ConnectionOpening {
  readonly #target: ConnectionTarget;
  #opened: Opened | undefined;
  /** Ends what is under way. */
  #stop: (reason: Error) => void = () => {};

  /** @param opened called once, not before this returns */
  constructor(target: ConnectionTarget, opened: Opened) {
    this.#target = target;
    this.#opened = opened;
    const { socketPath } = target.endpoint;
    if (socketPath !== undefined) this.#connect(socketPath);
    else {
      guardedLookup(target.endpoint, target.addressRules, (error, addresses) => {
        if (error === null) this.#race(addresses);
        else process.nextTick(this.#end, error, null);
      });
    }
  }

  /** Ends it with `reason`. Does nothing once it has ended. */
  giveUp(reason: Error): void {
    if (this.#opened === undefined) return;
    const opened = this.#opened;
    this.#opened = undefined;
    this.#stop(reason);
    opened(reason, null);
  }

  #race(addresses: readonly HostAddress[]): void {
    if (this.#opened === undefined) return;
    const { endpoint, limitMs, clock, isUnref } = this.#target;
    this.#stop = raceAddresses({ addresses, socket: { port: endpoint.port, ...socketOptions }, limitMs, clock, isUnref }, this.#connected);
  }

  /** Connects to a Unix socket. */
  #connect(path: string): void {
    const socket = connect({ path, ...socketOptions });
    if (this.#target.isUnref) socket.unref();
    this.#stop = () => socket.destroy();
    const fail = (error: Error): void => this.#end(error, null);
    socket.on("error", fail);
    socket.once("connect", () => {
      handOver(socket, fail);
      this.#connected(null, socket);
    });
  }

  readonly #connected: Opened = (...[error, socket]) => {
    if (error !== null || !this.#target.endpoint.secure || this.#opened === undefined) {
      if (error !== null) this.#end(error, null);
      else this.#end(null, socket);
      return;
    }
    const secured = handshake(socket, this.#target);
    this.#stop = () => secured.destroy();
    const fail = (failure: Error): void => this.#end(failure, null);
    const close = (): void => fail(new Error("the connection was closed during the TLS handshake"));
    secured.on("error", fail);
    secured.once("close", close);
    secured.once("secureConnect", () => {
      handOver(secured, fail);
      secured.off("close", close);
      // On each connection, before anything is sent.
      const fault = this.#target.fault?.(secured);
      if (fault === undefined) return this.#end(null, secured);
      secured.destroy();
      fail(fault);
    });
  };

  readonly #end: Opened = (...result) => {
    const opened = this.#opened;
    this.#opened = undefined;
    if (opened === undefined) result[1]?.destroy();
    else opened(...result);
  };
}

const socketOptions = { noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs, highWaterMark: bufferBytes };

/**
 * Begins the TLS handshake. No session is resumed: Node checks neither the dates nor the name of a certificate then. The certificate is verified
 * whatever NODE_TLS_REJECT_UNAUTHORIZED says.
 */
function handshake(socket: Socket, { endpoint: { host }, alpn, serverName, secureContext, fault, isUnref }: ConnectionTarget) {
  // The name in a handshake has no final dot (RFC 6066 §3).
  const name = serverName ?? (isIP(host) === 0 ? host.replace(/\.$/, "") : undefined);
  const secured = connectTls({
    socket,
    host,
    ALPNProtocols: [...alpn],
    rejectUnauthorized: true,
    ...(name === undefined ? undefined : { servername: name }),
    ...(secureContext === undefined ? undefined : { secureContext }),
    // The chain is verified here in any case.
    ...(fault === undefined ? undefined : { checkServerIdentity: () => undefined }),
  });
  if (isUnref) secured.unref();
  return secured;
}
