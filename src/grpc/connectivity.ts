import type { ChannelInterface, connectivityState as States } from "@grpc/grpc-js";
import { maxTimerMs } from "../core/settings/checks.ts";

/** The state of the connections of a channel, as `@grpc/grpc-js` counts it. */
type State = ReturnType<ChannelInterface["getConnectivityState"]>;

/** Something waits for another state than it has seen. */
interface Waiting {
  readonly seen: State;
  readonly told: (error?: Error) => void;
  readonly timer: ReturnType<typeof setTimeout> | undefined;
}

const firstPauseMs = 250;
const lastPauseMs = 5_000;

/**
 * Whether instances of the service can be reached, for `waitForReady` of a client: by what calls have come to, and by connections that are opened for it. While
 * nothing waits, nothing is tried.
 */
export class Connectivity {
  readonly #states: typeof States;
  /** Connects to instances, and says to how many. */
  readonly #connect: () => Promise<number>;
  #state: State;
  #waiting: Waiting[] = [];
  #pause: ReturnType<typeof setTimeout> | undefined = undefined;
  #pauseMs = firstPauseMs;
  #isConnecting = false;

  constructor(states: typeof States, connect: () => Promise<number>) {
    this.#states = states;
    this.#connect = connect;
    this.#state = states.IDLE;
  }

  get isClosed(): boolean {
    return this.#state === this.#states.SHUTDOWN;
  }

  /** The state now; `tryToConnect`: connections are made where there are none. */
  now(tryToConnect: boolean): State {
    const { IDLE, TRANSIENT_FAILURE } = this.#states;
    if (tryToConnect && this.#state === IDLE) this.#try();
    if (tryToConnect && this.#state === TRANSIENT_FAILURE) this.#later();
    return this.#state;
  }

  /** A call has had an answer, or could not reach an instance. */
  note(isReached: boolean): void {
    const { READY, TRANSIENT_FAILURE } = this.#states;
    if (!this.isClosed) this.#change(isReached ? READY : TRANSIENT_FAILURE);
  }

  /** Calls `told` once, with another state or, at the deadline, with an error. */
  watch(seen: State, deadline: Date | number, told: Waiting["told"]): void {
    if (this.isClosed) throw new Error("the channel has been closed");
    if (seen !== this.#state) {
      process.nextTick(told);
      return;
    }
    const leftMs = Number(deadline) - Date.now();
    const give = () => {
      this.#waiting = this.#waiting.filter((each) => each !== waiting);
      if (this.#waiting.length === 0) this.#rest();
      told(new Error("Deadline passed without connectivity state change"));
    };
    const timer = Number.isFinite(leftMs) ? setTimeout(give, Math.min(Math.max(0, leftMs), maxTimerMs)) : undefined;
    const waiting: Waiting = { seen, told, timer };
    this.#waiting.push(waiting);
  }

  close(): void {
    this.#rest();
    this.#change(this.#states.SHUTDOWN);
  }

  #try(): void {
    if (this.#isConnecting) return;
    this.#isConnecting = true;
    this.#change(this.#states.CONNECTING);
    this.#connect().then(
      (count) => this.#connected(count > 0),
      () => this.#connected(false),
    );
  }

  #connected(isReached: boolean): void {
    this.#isConnecting = false;
    if (isReached) this.#pauseMs = firstPauseMs;
    this.note(isReached);
  }

  #later(): void {
    if (this.#pause !== undefined || this.isClosed) return;
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#pauseMs = Math.min(lastPauseMs, this.#pauseMs * 2);
      if (this.#waiting.length > 0) this.#try();
    }, this.#pauseMs);
  }

  #rest(): void {
    clearTimeout(this.#pause);
    this.#pause = undefined;
  }

  #change(state: State): void {
    if (state === this.#state) return;
    this.#state = state;
    const over = this.#waiting.filter(({ seen }) => seen !== state);
    this.#waiting = this.#waiting.filter(({ seen }) => seen === state);
    for (const { timer, told } of over) {
      clearTimeout(timer);
      process.nextTick(told);
    }
  }
}
