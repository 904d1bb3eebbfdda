import type { Clock } from "../../core/clock.ts";
import type { ServerObservers } from "../../core/observing/served-mesh.ts";
import type { InboundPart, InboundRequest } from "./inbound-request.ts";
import { isSentWhole } from "./reply-state.ts";

/** Tells the observers of the mesh of each request, refused ones included, and runs its handler in their context. */
export class ObservePart implements InboundPart {
  readonly name = "observers";
  readonly #observers: ServerObservers;
  readonly #clock: Clock;

  constructor(observers: ServerObservers, clock: Clock) {
    this.#observers = observers;
    this.#clock = clock;
  }

  arrive(record: InboundRequest): boolean {
    const followers = this.#observers.followServed(record);
    if (followers === undefined) return false;
    record.followers = followers;
    for (const { around } of followers) if (around !== undefined) record.hasContext = true;
    return false;
  }

  leave(record: InboundRequest): void {
    const { followers, reply, refusedBy, authorization, rpcStatus } = record;
    if (followers === undefined) return;
    this.#observers.ended(followers, {
      status: reply.headersSent ? reply.statusCode : undefined,
      ...(rpcStatus === undefined ? {} : { rpcStatus }),
      refusedBy,
      authorization,
      isComplete: isSentWhole(reply),
      totalMs: this.#clock.now() - record.startedAt,
    });
  }
}
