import { type ClientHttp2Session, connect } from "node:http2";
import type { Socket } from "node:net";
import type { Clock, Timer } from "../../core/clock.ts";
import type { UndiciRequest } from "../undici/undici.ts";
import { Http2Exchange, type StreamOwner } from "./http2-exchange.ts";
import { Liveness } from "./liveness.ts";
import { CANCEL, ConnectionLost, NO_ERROR, REFUSED_STREAM } from "./stream-errors.ts";
import { Violations } from "./violations.ts";

/** Requests at a time on one connection, as most servers allow. */
export const maxStreams = 100;

/** Windows of flow control in bytes, for one stream and for the connection: Node's own 64 KiB are little for a link with some latency. */
const streamWindow = 262_144;
const connectionWindow = 524_288;

/** Streams in a row that failed by an error of the protocol, after which a connection takes no more: it may be the connection that is broken. */
const maxFailedStreams = 3;

/**
 * Streams that were cut off, after which a connection takes no more. Servers end a connection with all of its streams when too many are reset
 * (Node and nghttp2 after 1,000 within seconds), and each may leave a piece of its upload in Node's account of what is not sent.
 */
const maxCutStreams = 400;

/** Options of {@link Http2Connection}. */
export interface Http2ConnectionOptions {
  readonly origin: URL;
  readonly clock: Clock;
  readonly maxAgeMs: number;
  readonly maxRequests: number;
  /** Called when it takes more requests than before, or no more, and when it has closed. */
  readonly onChange: (connection: Http2Connection) => void;
}

/** One HTTP/2 connection to an instance. */
export class Http2Connection implements StreamOwner {
  readonly session: ClientHttp2Session;
  readonly #options: Http2ConnectionOptions;
  readonly #socket: Socket;
  readonly #liveness: Liveness;
  readonly #violations: Violations;
  readonly #exchanges = new Set<Http2Exchange>();
  readonly #scheme: string;
  readonly #ageTimer: Timer;
  #peerStreams = maxStreams;
  #requestsLeft: number;
  #failedInARow = 0;
  #cut = 0;
  #isRetired = false;
  #isHeld = false;

  constructor(socket: Socket, options: Http2ConnectionOptions) {
    const { origin, clock, maxAgeMs, maxRequests, onChange } = options;
    this.#options = options;
    this.#socket = socket;
    this.#scheme = origin.protocol.slice(0, -1);
    this.#requestsLeft = maxRequests;
    const session = connect(origin, {
      createConnection: () => socket,
      peerMaxConcurrentStreams: maxStreams,
      settings: { enablePush: false, initialWindowSize: streamWindow },
    });
    this.session = session;
    this.#violations = new Violations(session);
    session.unref();
    session.once("connect", () => session.setLocalWindowSize(connectionWindow));
    session.on("remoteSettings", ({ maxConcurrentStreams = maxStreams }) => {
      this.#peerStreams = maxConcurrentStreams;
      onChange(this);
    });
    session.on("goaway", (code, lastStreamId) => this.#goAway(code, lastStreamId));
    session.on("error", () => {});
    session.once("close", () => this.#closed());
    this.#liveness = new Liveness({
      clock,
      bytesRead: () => this.bytesRead,
      ping: (onAnswer) => session.ping(onAnswer),
      onChange: () => onChange(this),
      onDead: () => this.retire(),
      onLost: () => session.destroy(new ConnectionLost("the connection is dead: no answer to PING")),
    });
    this.#ageTimer = clock.setTimer(() => this.retire(), maxAgeMs, false);
  }

  now(): number {
    return this.#options.clock.now();
  }

  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  /** Requests under way. */
  get open(): number {
    return this.#exchanges.size;
  }

  /** It has closed: what is under way on it fails with it. */
  get isLost(): boolean {
    return this.session.destroyed;
  }

  /** Takes no more requests, for good. */
  get isRetired(): boolean {
    return this.#isRetired || this.session.closed || this.session.destroyed;
  }

  /** Something that was sent on it got no answer, and whether it is alive is not known yet. */
  get isDoubted(): boolean {
    return this.#liveness.isAsking;
  }

  /** How many more requests it takes now. */
  get room(): number {
    return this.isRetired || this.isDoubted ? 0 : Math.max(0, Math.min(this.#peerStreams, maxStreams) - this.open);
  }

  /** Begins a request; there must be room. */
  start(request: UndiciRequest, wantsInformation?: boolean): void {
    const exchange = new Http2Exchange(request, this, wantsInformation);
    if (!exchange.start(this.#scheme, this.#options.origin.host)) return;
    this.#exchanges.add(exchange);
    if (--this.#requestsLeft <= 0) this.retire();
  }

  /** Keeps the process alive while there is something to wait for. */
  hold(isNeeded: boolean): void {
    if (isNeeded === this.#isHeld || this.session.destroyed) return;
    this.#isHeld = isNeeded;
    if (isNeeded) this.session.ref();
    else this.session.unref();
  }

  /** Takes no more requests, and closes when those under way have ended. */
  retire(): void {
    if (this.#isRetired) return;
    this.#isRetired = true;
    this.#closeWhenDone();
    this.#options.onChange(this);
  }

  destroy(error?: Error): void {
    this.#isRetired = true;
    this.session.destroy(error);
  }

  // --- told by exchanges ---

  streamClosed(exchange: Http2Exchange, isCut: boolean): void {
    if (!this.#exchanges.delete(exchange)) return;
    if (isCut && ++this.#cut >= maxCutStreams) this.retire();
    this.#closeWhenDone();
    this.#options.onChange(this);
  }

  streamSucceeded(): void {
    this.#failedInARow = 0;
  }

  /** A stream was reset by the peer, or by Node. */
  streamFailed(code: number): void {
    this.#violations.streamFailed(code);
    if (code === REFUSED_STREAM || code === CANCEL) return;
    if (++this.#failedInARow >= maxFailedStreams) this.retire();
  }

  /** A request was given up before its end. When nothing at all has come since it was sent, the connection may be dead. */
  givenUp({ readBefore, startedAt }: Http2Exchange): void {
    if (!this.isRetired && this.bytesRead === readBefore) this.#liveness.doubt(this.now() - startedAt);
  }

  // --- inside ---

  #closeWhenDone(): void {
    if (!this.#isRetired || this.open > 0 || this.session.destroyed) return;
    if (this.#liveness.isDead) this.session.destroy();
    else this.session.close();
  }

  /**
   * The peer takes no new streams. Node closes the session when the last of its streams has ended, and fails those above the last one named as
   * refused; after an error it ends all of them, and tells those above apart from the others in nothing.
   */
  #goAway(code: number, lastStreamId: number): void {
    this.#isRetired = true;
    if (code !== NO_ERROR) {
      for (const exchange of [...this.#exchanges]) {
        if (exchange.streamId === undefined || exchange.streamId > lastStreamId) exchange.refuse();
      }
    }
    this.#options.onChange(this);
  }

  #closed(): void {
    this.#isRetired = true;
    this.#liveness.stop();
    this.#options.clock.clearTimer(this.#ageTimer);
    this.#options.onChange(this);
  }
}
