import type { Clock, Random } from "../../core/clock.ts";
import type { MeshRequest, MeshResponse } from "../../core/dispatch.ts";
import { withoutQuery } from "../../core/http/without-query.ts";
import type { DecisionRecorder } from "../../core/observing/call-trace.ts";
import type { EventSink } from "../../core/observing/events.ts";
import { TraceRecorder } from "../../core/observing/trace-recorder.ts";
import type { Receiver, Send } from "../../core/stages/stage.ts";

/** The parts that {@link CallTracing} works with. */
export interface CallTracingOptions {
  /** Share of the calls that are traced although they do not ask for it, 0 to 1. */
  readonly traceRatio: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventSink;
}

/** Chooses the calls whose decisions are recorded, and tells observers of these. */
export class CallTracing {
  readonly #options: CallTracingOptions;
  /** May change between calls. */
  traceRatio: number;

  constructor(options: CallTracingOptions) {
    this.#options = options;
    this.traceRatio = options.traceRatio;
  }

  /** Begins to record the decisions of a call, where it asks for that or is drawn. */
  begin(request: MeshRequest): DecisionRecorder | undefined {
    const { traceRatio } = this;
    const { random, clock } = this.#options;
    const asked = request.options.trace;
    if (asked === undefined && traceRatio === 0) return undefined;
    if (request.trace !== undefined) {
      request.trace.follow(request);
      return request.trace;
    }
    if (asked === false || (asked === undefined && random() >= traceRatio)) return undefined;
    const trace = new TraceRecorder({ request, path: withoutQuery(request.path), sampled: asked !== true, now: () => clock.now() });
    // In place: no layer has seen the request yet. A redirect is followed with the trace of the first request.
    (request as { trace: DecisionRecorder }).trace = trace;
    return trace;
  }

  /** Sends a call. Of a traced one it tells the decisions once it has a response head, or has failed. */
  send(request: MeshRequest, receiver: Receiver, send: Send): void {
    const trace = this.begin(request);
    send(request, trace === undefined ? receiver : new TellingReceiver(receiver, () => this.tell(request, trace)));
  }

  /** Tells observers of the decisions of a call. */
  tell(request: MeshRequest, trace: DecisionRecorder): void {
    this.#options.events.emit?.({ type: "trace", service: request.service, request, trace: trace.read() });
  }
}

/** Tells of the result of a call before it passes it on. */
class TellingReceiver implements Receiver {
  readonly #receiver: Receiver;
  readonly #tell: () => void;

  constructor(receiver: Receiver, tell: () => void) {
    this.#receiver = receiver;
    this.#tell = tell;
  }

  answered(response: MeshResponse): void {
    this.#tell();
    this.#receiver.answered(response);
  }

  failed(error: unknown): void {
    this.#tell();
    this.#receiver.failed(error);
  }
}
