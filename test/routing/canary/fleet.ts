import type { Clock } from "../../../src/core/clock.ts";
import { MeshError } from "../../../src/core/errors.ts";
import type { CanaryReading } from "../../../src/core/observing/routes/canary-reading.ts";
import type { CanaryEvent, MeshEvent } from "../../../src/core/observing/events.ts";
import { Canary } from "../../../src/routing/canary/canary.ts";
import { canarySettings } from "../../../src/routing/canary/canary-settings.ts";
import { type CanaryState, memoryCanaryState } from "../../../src/routing/canary/canary-state.ts";
import { SharedDecision } from "../../../src/routing/canary/shared-decision.ts";
import type { RouteCanary } from "../../../src/routing/route.ts";
import { seededRandom, testRequest } from "../../../src/testing/index.ts";
import { type VirtualClock, virtualClock } from "../../../src/testing/virtual-clock.ts";
import { openResponse } from "../../support/open-response.ts";

/** How a target answers: whether a call fails, and the time of an answer. */
export interface Behaviour {
  /** The chance of a failure, 0 to 1, at a time since the beginning. */
  readonly failures?: (atMs: number) => number;
  /** The median time of its answers, in milliseconds. */
  readonly medianMs?: number;
}

/** A fleet of processes that call the same split. */
export interface FleetOptions {
  readonly processes?: number;
  /** Calls a second of each process. */
  readonly rate?: number;
  readonly seed?: number;
  readonly canary?: RouteCanary;
  readonly stable?: Behaviour;
  readonly second?: Behaviour;
  /** The shared state of a process; `undefined`: it decides alone. */
  readonly stateOf?: (process: number, shared: CanaryState) => CanaryState | undefined;
  /** Keys of calls; without them each call is given to its target by itself. */
  readonly keyOf?: (random: () => number) => number;
}

export class Fleet {
  readonly clock: VirtualClock = virtualClock();
  readonly canaries: readonly Canary[];
  readonly events: CanaryEvent[][] = [];
  readonly #options: FleetOptions;
  readonly #random: () => number;
  readonly #clock: Clock;
  #aheadMs = 0;

  constructor(options: FleetOptions = {}) {
    const { processes = 1, seed = 1, canary = {}, stateOf = (_, state) => state, keyOf } = options;
    this.#options = options;
    this.#random = seededRandom(seed);
    this.#clock = { ...this.clock, now: () => this.clock.now() + this.#aheadMs };
    const shared = memoryCanaryState();
    const settings = canarySettings(canary);
    this.canaries = Array.from({ length: processes }, (_, process) => {
      const state = stateOf(process, shared);
      const told: CanaryEvent[] = [];
      this.events.push(told);
      return new Canary({
        rule: "canary",
        service: "orders",
        targets: ["v1", "v2"],
        settings,
        isSticky: keyOf !== undefined,
        clock: this.#clock,
        events: { emit: (event: MeshEvent) => event.type === "canary" && told.push(event) },
        shared: state && new SharedDecision(state, "orders", settings.shares.length, `process ${process}`),
      });
    });
  }

  /** Lets time pass, in which every process makes its calls. */
  async run(ms: number, until: () => boolean = () => false): Promise<void> {
    const { rate = 5 } = this.#options;
    const step = 1_000 / rate;
    for (let passed = 0; passed < ms && !until(); passed += step) {
      for (let process = 0; process < this.canaries.length; process++) this.call(process);
      await this.clock.advance(step);
    }
  }

  /** One call of a process; returns the target that it was given to. */
  call(process: number, canary: Canary = this.canaries[process] as Canary): number {
    const { keyOf } = this.#options;
    const key = keyOf?.(this.#random);
    const [stable = 0, second = 0] = canary.weights;
    const target = (key ?? this.#random()) * (stable + second) < stable ? 0 : 1;
    const { failures = () => 0.02, medianMs = 20 } = (target === 0 ? this.#options.stable : this.#options.second) ?? {};
    const followed = canary.follow(testRequest({ service: "orders" }), target, key, { answered: () => {}, failed: () => {} });
    if (this.#random() < failures(this.clock.now())) {
      followed.failed(new MeshError("ERR_MESH_PROTOCOL", "broken"));
      return target;
    }
    // About log-normal.
    const normal = this.#random() + this.#random() + this.#random() + this.#random() - 2;
    this.#aheadMs = medianMs * Math.exp(normal);
    const response = openResponse(200);
    followed.answered(response);
    this.#aheadMs = 0;
    response.body.close();
    return target;
  }

  readings(): readonly CanaryReading[] {
    return this.canaries.map((canary) => canary.reading());
  }

  states(): readonly string[] {
    return this.readings().map(({ state }) => state);
  }

  close(): void {
    for (const canary of this.canaries) canary.close();
  }
}
