import type { Clock, Timer } from "../../core/clock.ts";

/** A request that got nothing for less than this, in milliseconds, says nothing about its connection. */
const silentMs = 50;

/** Limit of an answer to PING, in milliseconds: of a connection across the world, or to a process that is busy. */
const answerMs = 1_000;

/** Time without a byte after an unanswered PING after which what is under way fails, in milliseconds. */
const lostMs = 20_000;

/** The parts of a connection that {@link Liveness} asks. */
export interface LivenessOptions {
  readonly clock: Clock;
  readonly bytesRead: () => number;
  /** Sends PING (RFC 9113 §6.7); `false`: it could not. */
  readonly ping: (onAnswer: (error: Error | null) => void) => boolean;
  /** The doubt has begun, or is over. */
  readonly onChange: () => void;
  /** PING was not answered in time. */
  readonly onDead: () => void;
  /** Nothing has come for long after that. */
  readonly onLost: () => void;
}

/**
 * Tells a dead connection from a dead instance. A path that swallows everything (a NAT or a load balancer that has lost its state) leaves a
 * connection that takes requests and answers none, while a new one would work.
 */
export class Liveness {
  readonly #options: LivenessOptions;
  #timer: Timer | undefined = undefined;
  #isAsking = false;
  #isDead = false;

  constructor(options: LivenessOptions) {
    this.#options = options;
  }

  /** An answer to PING is waited for. */
  get isAsking(): boolean {
    return this.#isAsking;
  }

  /** It was waited for in vain. */
  get isDead(): boolean {
    return this.#isDead;
  }

  /** A request got nothing for so many milliseconds, and nor did any other: asks the peer for a sign of life. */
  doubt(forMs: number): void {
    if (this.#isAsking || this.#isDead || forMs < silentMs) return;
    const { clock, bytesRead, ping } = this.#options;
    this.#isAsking = true;
    const before = bytesRead();
    const isSent = ping((error) => {
      if (error === null) this.#settle();
    });
    // Any byte is a sign of life: the answer may wait behind a large body.
    const settle = () => (bytesRead() === before ? this.#die() : this.#settle());
    this.#timer = clock.setTimer(settle, isSent ? answerMs : 0, false);
    this.#options.onChange();
  }

  stop(): void {
    this.#isAsking = false;
    this.#options.clock.clearTimer(this.#timer);
  }

  #settle(): void {
    if (!this.#isAsking) return;
    this.stop();
    this.#options.onChange();
  }

  #die(): void {
    const { clock, bytesRead, onDead, onLost } = this.#options;
    this.#isAsking = false;
    this.#isDead = true;
    const before = bytesRead();
    this.#timer = clock.setTimer(() => bytesRead() === before && onLost(), lostMs, false);
    onDead();
  }
}
