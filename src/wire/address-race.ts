import { connect, type Socket, type TcpNetConnectOpts } from "node:net";
import type { Clock, Timer } from "../core/clock.ts";
import { isLocalResourceError } from "../core/local-resources.ts";

/** An address of a host. */
export interface HostAddress {
  readonly address: string;
  readonly family: number;
}

/** Ends what is being opened; its callback gets the reason as error. Does nothing once the callback was called. */
export type GiveUp = (reason: Error) => void;

/** Takes the connection, or the error in its place. */
export type Opened = (...result: [error: null, socket: Socket] | [error: Error, socket: null]) => void;

/** Options of {@link raceAddresses}. */
export interface AddressRaceOptions {
  readonly addresses: readonly HostAddress[];
  /** The socket of one attempt. */
  readonly socket: Omit<TcpNetConnectOpts, "host">;
  /** Time for all of it, in milliseconds: the more addresses, the closer the attempts. */
  readonly limitMs: number;
  readonly clock: Clock;
  /** `true` for connections that do not keep the process alive. */
  readonly isUnref: boolean;
}

/** The pause before the next address is tried beside the former (RFC 8305 §8), and the least one. */
const pauseMs = 250;
const minPauseMs = 10;

/**
 * Connects to the first of several addresses that answers (RFC 8305 §5): they are tried in turn, each beside the former ones, so that addresses
 * that lead nowhere cost a pause and not the whole time limit. A failed attempt begins the next at once.
 */
export function raceAddresses({ addresses, socket: options, limitMs, clock, isUnref }: AddressRaceOptions, opened: Opened): GiveUp {
  const queue = interleaved(addresses);
  const stepMs = Math.max(minPauseMs, Math.min(pauseMs, limitMs / (queue.length + 1)));
  const running = new Set<Socket>();
  const errors: Error[] = [];
  let timer: Timer;
  let isOver = false;

  const end = (): void => {
    isOver = true;
    clock.clearTimer(timer);
    for (const socket of running) socket.destroy();
    running.clear();
  };
  const next = (): void => {
    clock.clearTimer(timer);
    const target = queue.shift();
    if (target === undefined) return;
    const socket = connect({ ...options, host: target.address });
    if (isUnref) socket.unref();
    running.add(socket);
    // It stays with the losers of the race, which may still fail.
    const fail = (error: Error): void => {
      if (isOver || !running.delete(socket)) return;
      errors.push(error);
      if (queue.length > 0) next();
      else if (running.size === 0) {
        end();
        opened(failureOf(errors), null);
      }
    };
    socket.on("error", fail);
    socket.once("connect", () => {
      if (isOver) return;
      running.delete(socket);
      end();
      handOver(socket, fail);
      opened(null, socket);
    });
    if (queue.length > 0) timer = clock.setTimer(next, stepMs, !isUnref);
  };
  next();
  return (reason) => {
    if (isOver) return;
    end();
    opened(reason, null);
  };
}

/**
 * Takes the listener off a connection that is open now: with it, all that opened the connection would stay as long as that. An error that comes
 * before its user listens must not end the process.
 */
export function handOver(socket: Socket, fail: (error: Error) => void): void {
  socket.on("error", ignore);
  socket.off("error", fail);
}

function ignore(): void {}

/** The families in turn, beginning with that of the first address (RFC 8305 §4). */
function interleaved(addresses: readonly HostAddress[]): HostAddress[] {
  const first = addresses[0]?.family;
  const preferred = addresses.filter(({ family }) => family === first);
  const others = addresses.filter(({ family }) => family !== first);
  const all: HostAddress[] = [];
  for (let index = 0; index < Math.max(preferred.length, others.length); index++) {
    for (const each of [preferred[index], others[index]]) if (each !== undefined) all.push(each);
  }
  return all;
}

/** The only error, or one for all with the code of the first; that this process has run out of something goes before. */
function failureOf(errors: readonly Error[]): Error {
  const [first] = errors;
  if (errors.length === 1) return first as Error;
  const main = errors.find(isLocalResourceError) ?? first;
  const message = errors.map((error) => error.message).join(", ");
  return Object.assign(new AggregateError(errors, message), { code: (main as NodeJS.ErrnoException).code });
}
