import { createHash } from "node:crypto";
import type { Clock } from "../../../core/clock.ts";
import { answerOf } from "../answer-of.ts";
import type { InboundPart, InboundRequest } from "../inbound-request.ts";
import { networkOf } from "../networks.ts";
import { CellRate } from "./cell-rate.ts";
import type { RateLimitSettings } from "./rate-limit-options.ts";

/** Longer keys are remembered by their digest, so that the memory of all keys is bounded. */
const maxKeyLength = 128;

/**
 * Refuses a caller that sends more than its rate, with 429. Without `x-mesh-refused`: it is the caller that asks too much, and a mesh that repeated the
 * request at another instance would give it the rate of all instances together.
 */
export class RateLimit implements InboundPart {
  readonly name = "rate limit";
  readonly #rate: CellRate;
  readonly #settings: RateLimitSettings;
  readonly #clock: Clock;

  constructor(settings: RateLimitSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
    this.#rate = new CellRate(settings);
  }

  arrive(record: InboundRequest): boolean {
    const key = this.#keyOf(record);
    if (key === undefined) return false;
    const waitMs = this.#rate.take(key, this.#clock.now());
    if (waitMs === 0) return false;
    const { perSecond } = this.#settings;
    return record.refuse(this.name, {
      why: `too many requests: ${perSecond} per second are allowed`,
      status: 429,
      headers: { "retry-after": String(Math.max(1, Math.ceil(waitMs / 1_000))) },
      isMarked: false,
    });
  }

  #keyOf(record: InboundRequest): string | undefined {
    const { key } = this.#settings;
    if (key === undefined) return callerOf(record);
    const own = answerOf(
      { what: "the function rateLimit.key", ask: () => key(record.request), isAnswer: isKey, wanted: "string or undefined" },
      () => callerOf(record),
    );
    return own === undefined || own.length <= maxKeyLength ? own : createHash("sha256").update(own).digest("base64");
  }
}

function isKey(given: unknown): given is string | undefined {
  return given === undefined || typeof given === "string";
}

/** Stands for the caller: its verified identity, else the network of its address. `undefined` for a Unix socket. */
function callerOf({ identity, peer }: InboundRequest): string | undefined {
  return identity ?? networkOf(peer.address);
}
