import type { Random } from "../../core/clock.ts";
import type { MeshRequest } from "../../core/dispatch.ts";
import type { RequestBody } from "../../core/http/body.ts";
import { hasSecretParameter } from "../../core/http/secret-parameters.ts";
import type { EventSink } from "../../core/observing/events.ts";
import type { MirrorOmission, MirrorOutcome } from "../../core/observing/routes/route-events.ts";
import { isRetryableMethod } from "../../core/outcome.ts";
import type { Routed, Subset } from "../../core/routed.ts";
import type { Stage } from "../../core/stages/stage.ts";
import { copyHeader } from "../../policies/incoming.ts";
import type { RouteMirror } from "../route.ts";
import { CopiedBody, knownLength } from "./copied-body.ts";
import { Copy, type CopyingMirror, type CopyParts } from "./copy.ts";

/** The parts that the mirrors of one rule work with. */
export interface MirrorParts extends CopyParts {
  /** The name of the rule. */
  readonly rule: string;
  readonly random: Random;
  readonly events: EventSink;
}

/** A mirror, and the instances that its copies go to. */
export interface CompiledMirror {
  readonly mirror: RouteMirror;
  readonly subset: Subset | undefined;
}

/** Copies the calls of a rule. The call goes first, waits for no copy, and is told of none. */
export function mirrorStage(mirrors: readonly CompiledMirror[], parts: MirrorParts): Stage {
  const all = mirrors.map((each) => new Mirror(each, parts));
  return (next) => (request, receiver) => {
    if (request.headers[copyHeader] !== undefined) {
      next(request, receiver);
      return;
    }
    const begun: Copy[] = [];
    let sent = request;
    for (const mirror of all) {
      const copy = mirror.begin(request);
      if (copy === undefined) continue;
      if (knownLength(sent.body) === undefined) sent = { ...sent, body: new CopiedBody(sent, mirror.maxBodyBytes, copy).body };
      else begun.push(copy);
    }
    try {
      next(sent, receiver);
    } finally {
      for (const copy of begun) copy.send(request.body);
    }
  };
}

/** One mirror of a rule: which calls it copies, and how many copies of it are under way. */
class Mirror implements CopyingMirror {
  readonly parts: MirrorParts;
  readonly service: string | undefined;
  readonly routed: Routed;
  readonly maxBodyBytes: number;
  readonly timeoutMs: number;
  readonly credentials: boolean;
  readonly #share: number;
  readonly #copiesAll: boolean;
  readonly #maxInFlight: number;
  #inFlight = 0;

  constructor({ mirror, subset }: CompiledMirror, parts: MirrorParts) {
    const { service, percent = 100, methods = "safe", credentials = false } = mirror;
    const { maxInFlight = 100, maxBodyBytes = 65_536, timeoutMs = 5_000 } = mirror;
    this.parts = parts;
    this.service = service;
    this.routed = Object.freeze({ rule: parts.rule, target: undefined, subset, options: undefined });
    this.maxBodyBytes = maxBodyBytes;
    this.timeoutMs = timeoutMs;
    this.credentials = credentials;
    this.#share = percent / 100;
    this.#copiesAll = methods === "all";
    this.#maxInFlight = maxInFlight;
  }

  /** A copy of the call, which holds a place from now on; `undefined` for a call that is not copied. */
  begin(request: MeshRequest): Copy | undefined {
    if (!this.#copiesAll && !isRetryableMethod(request.method, "safe")) return undefined;
    if (this.#share < 1 && this.parts.random() >= this.#share) return undefined;
    const omission = this.#omissionOf(request);
    if (omission !== undefined) {
      this.#tell(request, undefined, omission);
      return undefined;
    }
    this.#inFlight++;
    return new Copy(this, request);
  }

  ended(request: MeshRequest, outcome: MirrorOutcome | undefined, omission: MirrorOmission | undefined): void {
    this.#inFlight--;
    this.#tell(request, outcome, omission);
  }

  #tell(request: MeshRequest, outcome: MirrorOutcome | undefined, omission: MirrorOmission | undefined): void {
    const { rule, events } = this.parts;
    events.emit?.({ type: "mirror", service: this.service ?? request.service, rule, request, outcome, omission });
  }

  #omissionOf({ body, path }: MeshRequest): MirrorOmission | undefined {
    if (isTooLarge(body, this.maxBodyBytes)) return "body-size";
    if (!this.credentials && hasSecretParameter(path)) return "credentials";
    return this.#inFlight >= this.#maxInFlight ? "in-flight" : undefined;
  }
}

function isTooLarge(body: RequestBody, maxBytes: number): boolean {
  const length = knownLength(body);
  return length !== undefined && length > maxBytes;
}
