import type { MeshRequest, MeshResponse } from "../core/dispatch.ts";
import { type RouteDecision, tellRouted } from "../core/observing/call-observer.ts";
import type { Receiver, Send, Stage } from "../core/stages/stage.ts";
import { type CompiledChanges, changedLines } from "./actions/header-changes.ts";
import type { Answer } from "./actions/made-answer.ts";
import { appliedTo } from "./applied-decision.ts";
import type { CompiledRule, Decision } from "./compiled-rule.ts";
import type { LiveRoutes } from "./live-routes.ts";
import { type RuleStageParts, stagesOf } from "./rule-stages.ts";

/** The parts that calls are routed with: those of the stages of rules, with the way to the services. */
export interface RouteStageParts extends RuleStageParts {
  readonly routes: LiveRoutes;
}

/**
 * Decides on each call by the table of routes, and passes it to its service, changed as its rule says. It stands above the services, so that all of their
 * layers see what is sent.
 */
export function routeStage(parts: RouteStageParts): Send {
  const { routes, random, send: next } = parts;
  const ways = new RuleWays(parts);
  return function route(request, receiver): void {
    const { table } = routes;
    if (table === undefined) {
      routes.whenReady(
        request,
        () => route(request, receiver),
        (error) => receiver.failed(error),
      );
      return;
    }
    const decision = table.decide(request, random);
    tellRouted(request.observation, decision?.target ?? noRule);
    if (decision === undefined) {
      next(request, receiver);
      return;
    }
    let changed: MeshRequest;
    try {
      changed = appliedTo(request, decision);
    } catch (error) {
      receiver.failed(error);
      return;
    }
    const { rule, target } = decision;
    const { live } = rule;
    const told = changedBy(target.responseHeaders, changedBy(rule.responseHeaders, receiver));
    ways.of(decision)(changed, live?.follow(changed, target.index, table.keyShareOf(rule, request), told) ?? told);
  };
}

const noRule: RouteDecision = { routed: undefined };

/** The way of each decision: through the stages of its rule, down to the services or to the answer that it makes. */
class RuleWays {
  readonly #parts: RuleStageParts;
  readonly #stages = new WeakMap<CompiledRule, readonly Stage[]>();
  readonly #ways = new WeakMap<Decision, Send>();

  constructor(parts: RuleStageParts) {
    this.#parts = parts;
  }

  of(decision: Decision): Send {
    const known = this.#ways.get(decision);
    if (known !== undefined) return known;
    const { rule, answer } = decision;
    const stages = this.#stages.get(rule) ?? stagesOf(rule, this.#parts);
    this.#stages.set(rule, stages);
    const inner = answer === undefined ? this.#parts.send : answering(answer);
    const way = stages.reduceRight<Send>((next, stage) => stage(next), inner);
    this.#ways.set(decision, way);
    return way;
  }
}

function answering(answer: Answer): Send {
  return (request, receiver) => {
    let response: MeshResponse;
    try {
      response = answer(request);
    } catch (error) {
      receiver.failed(error);
      return;
    }
    receiver.answered(response);
  };
}

function changedBy(changes: CompiledChanges | undefined, receiver: Receiver): Receiver {
  return changes === undefined ? receiver : new ChangedResponse(receiver, changes);
}

/** Passes a response on with other headers. */
class ChangedResponse implements Receiver {
  readonly #receiver: Receiver;
  readonly #changes: CompiledChanges;

  constructor(receiver: Receiver, changes: CompiledChanges) {
    this.#receiver = receiver;
    this.#changes = changes;
  }

  answered({ status, statusText, headers, body, upstream }: MeshResponse): void {
    this.#receiver.answered({ status, statusText, headers: changedLines(headers, this.#changes), body, upstream });
  }

  failed(error: unknown): void {
    this.#receiver.failed(error);
  }
}
