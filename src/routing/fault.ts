import { AsyncContext } from "../core/async-context.ts";
import { localResponse } from "../core/buffered-body.ts";
import type { CancelHandler } from "../core/cancellation.ts";
import { type Clock, type Random, setTimerOf, type Timer } from "../core/clock.ts";
import type { MeshRequest } from "../core/dispatch.ts";
import { MeshError } from "../core/errors.ts";
import type { EventSink } from "../core/observing/events.ts";
import type { FaultKind } from "../core/observing/routes/route-events.ts";
import type { TimerHandler } from "../core/shared-timers.ts";
import type { Receiver, Send, Stage } from "../core/stages/stage.ts";
import { changedBy } from "./actions/changed-response.ts";
import { type CompiledChanges, compileChanges } from "./actions/header-changes.ts";
import type { RouteFault } from "./route.ts";

/** The header that marks calls for the faults of their route where the rule names no other, and that tells in the answer which fault there was. */
export const faultHeader = "x-mesh-fault";

/** The parts that {@link faultStage} works with. */
export interface FaultParts {
  /** The name of the rule. */
  readonly rule: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventSink;
}

/**
 * The faults of a rule, made on purpose for calls that are marked: first the wait, then the end. Each is drawn by itself. It is above the service: what it
 * makes is blamed on no instance, counts for no breaker and is not repeated, as Envoy's filter does it.
 */
export function faultStage(fault: RouteFault, parts: FaultParts): Stage {
  const injector = new Injector(fault, parts);
  return (next) => (request, receiver) => injector.send(request, receiver, next);
}

class Injector {
  readonly parts: FaultParts;
  readonly #fault: RouteFault;
  /** In lower case; `undefined` for every call. */
  readonly #header: string | undefined;
  /** Tells in the answer of an instance that it was late on purpose. */
  readonly #told: CompiledChanges | undefined;

  constructor(fault: RouteFault, parts: FaultParts) {
    const { header = "x-mesh-fault" } = fault;
    this.#fault = fault;
    this.#told = compileChanges({ add: { [faultHeader]: `delay=${fault.delay?.ms ?? 0}` } });
    this.#header = header === "*" ? undefined : header.toLowerCase();
    this.parts = parts;
  }

  send(request: MeshRequest, receiver: Receiver, next: Send): void {
    if (this.#header !== undefined && request.headers[this.#header] === undefined) {
      next(request, receiver);
      return;
    }
    const { delay, abort } = this.#fault;
    const delayMs = delay !== undefined && this.#draws(delay.percent) ? delay.ms : 0;
    const isAborted = abort !== undefined && this.#draws(abort.percent);
    const goOn = isAborted ? (one: MeshRequest, other: Receiver) => this.#abort(one, other) : next;
    if (delayMs === 0) {
      goOn(request, receiver);
      return;
    }
    this.tell(request, "delay");
    new DelayedCall(this.parts, request, isAborted ? receiver : changedBy(this.#told, receiver), goOn).wait(delayMs);
  }

  /** Whether a call is one of `percent` in a hundred. */
  #draws(percent = 100): boolean {
    return percent >= 100 || this.parts.random() * 100 < percent;
  }

  #abort(request: MeshRequest, receiver: Receiver): void {
    const { status, error } = this.#fault.abort ?? {};
    const { rule } = this.parts;
    if (error === "reset" || status === undefined) {
      this.tell(request, "reset");
      const { service } = request;
      const message = `no connection to an instance of "${service}": the rule "${rule}" breaks it on purpose (fault.abort)`;
      receiver.failed(new MeshError("ERR_MESH_CONNECT", message, { service, maybeExecuted: false, stack: false }));
      return;
    }
    this.tell(request, "abort", status);
    receiver.answered(localResponse(status, "", { [faultHeader]: "abort" }));
  }

  tell(request: MeshRequest, fault: FaultKind, status?: number): void {
    const { rule, events } = this.parts;
    events.emit?.({ type: "fault", service: request.service, rule, request, fault, status });
  }
}

/** A call that waits, within its deadline: at the end of the call nothing is sent, and no timer is left. */
class DelayedCall implements TimerHandler, CancelHandler {
  readonly #parts: FaultParts;
  readonly #request: MeshRequest;
  readonly #receiver: Receiver;
  readonly #next: Send;
  /** A timer runs in the context of no call: what follows belongs to this one. */
  readonly #context = new AsyncContext();
  #timer: Timer = undefined;

  constructor(parts: FaultParts, request: MeshRequest, receiver: Receiver, next: Send) {
    this.#parts = parts;
    this.#request = request;
    this.#receiver = receiver;
    this.#next = next;
  }

  wait(delayMs: number): void {
    const { call, service, cancellation } = this.#request;
    const { rule, clock } = this.#parts;
    // The deadline says nothing of the service, which has not been asked.
    const error = (deadline: string) =>
      new MeshError(
        "ERR_MESH_TIMEOUT",
        `"${service}" was not called: the rule "${rule}" delays it on purpose (fault.delay), and ${deadline} has passed`,
        {
          service,
          maybeExecuted: false,
        },
      );
    if (call !== undefined) call.waitError = error;
    this.#timer = setTimerOf(this, clock, delayMs);
    cancellation.onCancel(this);
  }

  handleTimer(): void {
    this.#request.cancellation.removeListener(this);
    this.#leave();
    this.#context.run(() => {
      try {
        this.#next(this.#request, this.#receiver);
      } catch (error) {
        this.#receiver.failed(error);
      }
    });
  }

  handleCancel(reason: unknown): void {
    this.#parts.clock.clearTimer(this.#timer);
    this.#leave();
    this.#receiver.failed(reason);
  }

  #leave(): void {
    const { call } = this.#request;
    if (call !== undefined) call.waitError = undefined;
  }
}
