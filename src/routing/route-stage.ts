import type { Dispatch, MeshRequest, MeshResponse } from "../core/dispatch.ts";
import { type RouteDecision, tellRouted } from "../core/observing/call-observer.ts";
import { dispatchOf, type Receiver, type Send, sendOf } from "../core/stages/stage.ts";
import { changedBy } from "./actions/changed-response.ts";
import { appliedTo } from "./applied-decision.ts";
import type { Decision } from "./compiled-rule.ts";
import type { LiveRoutes } from "./live-routes.ts";
import type { RouteTable } from "./route-table.ts";
import type { RuleStageParts } from "./rule-stages.ts";
import { RuleWays } from "./rule-ways.ts";

/** The parts that calls are routed with: those of the stages of rules, with the way to the services. */
export interface RouteStageParts extends RuleStageParts {
  readonly routes: LiveRoutes;
}

/**
 * Decides on each call by the table of routes, and passes it to its service, changed as its rule says. It stands above the services, so that all of their
 * layers see what is sent.
 */
export class RouteStage {
  readonly #parts: RouteStageParts;
  readonly #ways: RuleWays;

  constructor(parts: RouteStageParts) {
    this.#parts = parts;
    this.#ways = new RuleWays(parts);
  }

  readonly send: Send = (request, receiver) => {
    const { table } = this.#parts.routes;
    if (table === undefined) this.#wait(request, receiver, this.send);
    else this.#route(table, request, receiver, undefined);
  };

  /** Routes a call that has a way of its own below, and no response to copy: an upgrade. */
  through(request: MeshRequest, inner: Dispatch): Promise<MeshResponse> {
    const send: Send = (one, receiver) => {
      const { table } = this.#parts.routes;
      if (table === undefined) this.#wait(one, receiver, send);
      else this.#route(table, one, receiver, sendOf(inner));
    };
    return dispatchOf(send)(request);
  }

  #wait(request: MeshRequest, receiver: Receiver, again: Send): void {
    this.#parts.routes.whenReady(
      request,
      () => again(request, receiver),
      (error) => receiver.failed(error),
    );
  }

  #route(table: RouteTable, request: MeshRequest, receiver: Receiver, inner: Send | undefined): void {
    const { random, send } = this.#parts;
    const decision = table.decide(request, random);
    const told = decision?.target ?? noRule;
    tellRouted(request.observation, told);
    request.trace?.routed(told.routed);
    if (decision === undefined) {
      (inner ?? send)(request, receiver);
      return;
    }
    let changed: MeshRequest;
    try {
      changed = appliedTo(request, decision);
    } catch (error) {
      receiver.failed(error);
      return;
    }
    const way = inner === undefined ? this.#ways.of(decision) : this.#ways.around(decision, inner);
    way(changed, this.#receiverOf(decision, table, request, changed, receiver));
  }

  #receiverOf({ rule, target }: Decision, table: RouteTable, request: MeshRequest, changed: MeshRequest, receiver: Receiver): Receiver {
    const told = changedBy(target.responseHeaders, changedBy(rule.responseHeaders, receiver));
    return rule.live?.follow(changed, target.index, table.keyShareOf(rule, request), told) ?? told;
  }
}

const noRule: RouteDecision = { routed: undefined, service: undefined };
