import type { X509Certificate } from "node:crypto";
import type { SecureContext } from "node:tls";
import type { Clock, Timer } from "../core/clock.ts";
import { describeError } from "../core/errors.ts";
import type { IdentityReading, IdentityState } from "../core/observing/identity-reading.ts";
import type { SpiffeId } from "../core/peers/spiffe-id.ts";
import { CheckedCredentials, type ContextOptions } from "./checked-credentials.ts";
import type { Credentials } from "./credentials.ts";
import type { IdentitySource, IdentityWatch } from "./identity-source.ts";
import { IdentityUnavailable } from "./identity-unavailable.ts";
import { type ExpectedPeer, type VerifiedPeer, verifyPeer } from "./verify-peer.ts";

/** One change of an identity, or a failure of its source. */
export interface IdentityChange {
  readonly state: IdentityState;
  /** Counts up with each change of the credentials or of the state. */
  readonly version: number;
  /** The failure of the source, or the reason for which credentials were refused or withdrawn; `undefined` where there is none. */
  readonly error: Error | undefined;
}

/** Hears of each change. What it throws is dropped. */
export type IdentityFollower = (change: IdentityChange) => void;

/** Dates are looked at this often, in milliseconds, since the clock of a machine may be set. */
const dateCheckMs = 60_000;

/**
 * The identity of this process: one for a mesh, and one for a server. It takes the credentials of a source, checks them whole before they take effect,
 * and keeps the last good ones until they expire. Without an identity that is good now there is no connection: it fails closed.
 */
export class Identity {
  readonly #source: IdentitySource;
  readonly #clock: Clock;
  readonly #followers = new Set<IdentityFollower>();
  readonly #waiting = new Set<() => void>();
  readonly #watch: IdentityWatch;
  #current: CheckedCredentials | undefined = undefined;
  #state: IdentityState = "pending";
  #version = 0;
  /** The last failure, said once. */
  #failure: Error | undefined = undefined;
  #timer: Timer = undefined;
  #isClosed = false;

  /** Begins to watch the source. */
  constructor(source: IdentitySource, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
    this.#watch = source.watch({
      update: (credentials) => this.#update(credentials),
      withdraw: (reason) => this.#withdraw(reason),
      fail: (error) => this.#fail(error),
    });
  }

  /** The name of the source. */
  get source(): string {
    return this.#source.name;
  }

  get version(): number {
    return this.#version;
  }

  /** The state now: an end that has passed unnoticed counts. */
  get state(): IdentityState {
    if (this.#state === "ready" && this.#clock.wallNow() >= (this.#current?.expiresAtMs ?? 0)) this.#expire();
    return this.#state;
  }

  /** The SPIFFE id of this process; `undefined` while there is no identity, and for a certificate without one. */
  get id(): SpiffeId | undefined {
    return this.#current?.id;
  }

  /** The end of the certificate in milliseconds since the epoch; `undefined` before the first one. */
  get expiresAtMs(): number | undefined {
    return this.#current?.expiresAtMs;
  }

  /** The lifetime of the certificate in milliseconds; 0 before the first one. */
  get lifetimeMs(): number {
    return this.#current?.lifetimeMs ?? 0;
  }

  /** The last failure of the source, or the reason for which its credentials were refused; `undefined` since the last good ones. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** All that is visible of it, at this moment. */
  reading(): IdentityReading {
    return {
      source: this.source,
      state: this.state,
      id: this.id?.text,
      expiresAtMs: this.expiresAtMs,
      lifetimeMs: this.#current?.lifetimeMs,
      failure: this.#failure === undefined ? undefined : describeError(this.#failure),
    };
  }

  /**
   * The credentials that are good now.
   * @throws IdentityUnavailable
   */
  current(): CheckedCredentials {
    if (this.state !== "ready") throw this.#unavailable();
    return this.#current as CheckedCredentials;
  }

  /**
   * The secure context for a connection of this process.
   * @throws IdentityUnavailable
   */
  secureContext(options: ContextOptions): SecureContext {
    return this.current().secureContext(options);
  }

  /**
   * Judges a peer after the handshake by the authorities that are good now.
   * @param shown the certificates that the peer has shown above its own
   * @throws PeerRefused, IdentityUnavailable
   */
  verifyPeer(leaf: X509Certificate, shown: readonly X509Certificate[], expected: ExpectedPeer): VerifiedPeer {
    return verifyPeer(this.current().trust, leaf, shown, expected, this.#clock.wallNow());
  }

  /**
   * Resolves once there is an identity; at once where there was one before.
   * @throws IdentityUnavailable after `limitMs`, and where it has expired, was withdrawn or closed.
   */
  ready(limitMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.whenSettled(limitMs, () => {
        if (this.state === "ready") resolve();
        else reject(this.#unavailable());
      });
    });
  }

  /** Calls `settled` once: when the identity is no longer pending, or after `limitMs`. Returns what takes it back. */
  whenSettled(limitMs: number, settled: () => void): () => void {
    if (this.#state !== "pending" || this.#isClosed) {
      settled();
      return () => {};
    }
    const leave = (): void => {
      this.#clock.clearTimer(timer);
      this.#waiting.delete(end);
    };
    const end = (): void => {
      leave();
      settled();
    };
    const timer = this.#clock.setTimer(end, limitMs, false);
    this.#waiting.add(end);
    return leave;
  }

  /** Calls `follower` at each change from now on, until the returned function is called. */
  follow(follower: IdentityFollower): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  /** Ends the watch of the source, its timer and the waits. The credentials stay usable for what is still under way. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#clock.clearTimer(this.#timer);
    this.#watch.close();
    this.#settle();
    this.#followers.clear();
  }

  #update(credentials: Credentials): void {
    if (this.#isClosed) return;
    let checked: CheckedCredentials;
    try {
      checked = new CheckedCredentials(credentials, this.#clock.wallNow());
    } catch (cause) {
      this.#fail(new Error(`new credentials of "${this.#source.name}" are refused: ${(cause as Error).message}`, { cause }));
      return;
    }
    this.#current = checked;
    this.#failure = undefined;
    this.#change("ready", undefined);
    this.#awaitEnd();
  }

  #withdraw(reason: Error): void {
    if (this.#isClosed || this.#state === "withdrawn") return;
    this.#current = undefined;
    this.#failure = reason;
    this.#clock.clearTimer(this.#timer);
    this.#change("withdrawn", reason);
  }

  /** The last credentials stay in use. The same failure is said once. */
  #fail(error: Error): void {
    if (this.#isClosed || this.#failure?.message === error.message) return;
    this.#failure = error;
    this.#tell(error);
  }

  #expire(): void {
    this.#clock.clearTimer(this.#timer);
    this.#change("expired", this.#failure);
  }

  readonly #awaitEnd = (): void => {
    this.#clock.clearTimer(this.#timer);
    if (this.state !== "ready" || this.#isClosed) return;
    const leftMs = (this.#current?.expiresAtMs ?? 0) - this.#clock.wallNow();
    this.#timer = this.#clock.setTimer(this.#awaitEnd, Math.max(1, Math.min(leftMs, dateCheckMs)), false);
  };

  #change(state: IdentityState, error: Error | undefined): void {
    this.#state = state;
    this.#version++;
    this.#settle();
    this.#tell(error);
  }

  #settle(): void {
    for (const end of [...this.#waiting]) end();
  }

  #tell(error: Error | undefined): void {
    const change: IdentityChange = { state: this.#state, version: this.#version, error };
    for (const follower of [...this.#followers]) {
      try {
        follower(change);
      } catch {
        // A follower must not keep another one, or the source, from its work.
      }
    }
  }

  #unavailable(): IdentityUnavailable {
    const reason = this.#failure === undefined ? "" : `: ${describeError(this.#failure)}`;
    const from = `from "${this.#source.name}"`;
    switch (this.#state) {
      case "expired":
        return new IdentityUnavailable(`the identity of this process has expired, and no other has come ${from}${reason}`, this.#failure);
      case "withdrawn":
        return new IdentityUnavailable(`the identity of this process was withdrawn ${from}${reason}`, this.#failure);
      default:
        return new IdentityUnavailable(`this process has no identity yet ${from}${reason}`, this.#failure);
    }
  }
}
