import type { Clock } from "../../core/clock.ts";
import { describeError } from "../../core/errors.ts";
import type { ServerReading } from "../../core/observing/reading.ts";
import { Identity } from "../../identity/identity.ts";
import type { IdentitySource } from "../../identity/identity-source.ts";
import type { Traffic } from "../connections/traffic.ts";
import type { NodeServer } from "../node-server.ts";
import { type CallersOptions, type CallersSettings, callersOptions } from "./callers-options.ts";
import { Entrance } from "./entrance.ts";
import type { EntranceParts } from "./entrance-parts.ts";

/** The parts that a {@link SecuredServer} works with. */
export interface SecuredParts {
  readonly server: NodeServer;
  readonly traffic: Traffic;
  readonly log: (text: string) => void;
  readonly tell: EntranceParts["tell"];
}

/** The options that ask for an identity. */
interface Asked {
  readonly identity: IdentitySource | undefined;
  readonly callers?: CallersOptions | undefined;
  readonly clock: Clock;
}

/** The identity of a server, and the entrance that it guards. */
export class SecuredServer {
  readonly entrance: Entrance;
  readonly #identity: Identity;
  readonly #callers: CallersSettings;

  /** The one that the options of `serve` ask for; `undefined` where they name no identity. */
  static of({ identity, callers, clock }: Asked, parts: SecuredParts): SecuredServer | undefined {
    return identity === undefined ? undefined : new SecuredServer(new Identity(identity, clock), callers ?? {}, clock, parts);
  }

  constructor(identity: Identity, callers: CallersOptions, clock: Clock, { server, traffic, log, tell }: SecuredParts) {
    this.#identity = identity;
    this.#callers = callersOptions.settle(callers);
    this.entrance = new Entrance({
      server,
      identity,
      settings: this.#callers,
      clock,
      random: Math.random,
      retire: (socket) => traffic.retire(socket),
      endIfAtRest: (socket) => traffic.endIfAtRest(socket),
      log,
      tell,
    });
    traffic.follow(this.entrance);
    identity.follow(({ state, error }) => {
      if (state === "expired" || state === "withdrawn")
        log(`takes no connection over TLS: its identity ${state === "expired" ? "has expired" : "was withdrawn"}`);
      if (error !== undefined) log(`identity: ${describeError(error)}`);
    });
  }

  /** The reason for which the server cannot show its identity; `undefined` while it can. */
  get problem(): string | undefined {
    const { state } = this.#identity;
    if (state === "ready") return undefined;
    return state === "pending" ? "it has no identity yet" : state === "expired" ? "its identity has expired" : "its identity was withdrawn";
  }

  /** The part of a reading of the server that is about this. */
  reading(): Required<Pick<ServerReading, "identity" | "callersMode">> {
    return { identity: this.#identity.reading(), callersMode: this.#callers.mode };
  }

  close(): void {
    this.entrance.close();
    this.#identity.close();
  }
}
