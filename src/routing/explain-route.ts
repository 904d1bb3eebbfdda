import type { MeshRequest } from "../core/dispatch.ts";
import { headerOf } from "../core/http/response-headers.ts";
import type { CompiledChanges } from "./actions/header-changes.ts";
import { appliedTo } from "./applied-decision.ts";
import { type CompiledRule, type CompiledTarget, type Decision, targetName } from "./compiled-rule.ts";
import type { ExplainedTarget, RouteExplanation } from "./route-explanation.ts";
import type { RouteTable } from "./route-table.ts";

/** Explains the decision on a call. Nothing is sent. */
export function explainRoute(table: RouteTable | undefined, request: MeshRequest): RouteExplanation {
  const { service, method } = request;
  const { matched, before = [] } = table?.explain(request) ?? { matched: undefined };
  const called = {
    service,
    method,
    path: withoutQuery(request.path),
    before: before.map(({ rule, failed }) => ({ rule: rule.name, because: failed.map(({ part, demand }) => `${part} ${demand}`) })),
  };
  if (table === undefined || matched === undefined) {
    const target: ExplainedTarget = { name: service, service, subset: undefined, share: 1, chosen: true };
    return {
      ...called,
      rule: undefined,
      index: undefined,
      targets: [target],
      sentPath: called.path,
      changes: [],
      answer: undefined,
      fault: undefined,
    };
  }
  const { rule, decisions } = matched;
  const key = table.keyShareOf(rule, request);
  const chosen = table.targetOf(rule, key);
  const decision = decisions[chosen ?? 0] as Decision;
  const { sentPath, fault } = sentBy(decision, request);
  const answer = answerOf(decision, request);
  return {
    ...called,
    rule: rule.name,
    index: table.rules.indexOf(rule),
    targets: decision.answer === undefined ? targetsOf(rule, request, chosen) : [],
    sentPath: decision.answer === undefined ? sentPath : undefined,
    changes: changesOf(rule),
    answer: answer.made,
    fault: fault ?? answer.fault,
  };
}

function withoutQuery(path: string): string {
  return path.split("?", 1)[0] ?? path;
}

function targetsOf(rule: CompiledRule, { service }: MeshRequest, chosen: number | undefined): readonly ExplainedTarget[] {
  const shares = rule.choice?.shares ?? [1];
  return rule.targets.map((target, index) => {
    const { routed } = target;
    const to = target.service ?? service;
    return {
      name: routed.target ?? targetName({ service: to }, routed.subset),
      service: to,
      subset: routed.subset?.name,
      share: shares[index] ?? 0,
      chosen: chosen === undefined ? undefined : chosen === index,
    };
  });
}

function sentBy(decision: Decision, request: MeshRequest): { readonly sentPath: string | undefined; readonly fault: string | undefined } {
  try {
    return { sentPath: withoutQuery(appliedTo(request, decision).path), fault: undefined };
  } catch (error) {
    return { sentPath: undefined, fault: (error as Error).message };
  }
}

function answerOf(
  { answer }: Decision,
  request: MeshRequest,
): { readonly made: RouteExplanation["answer"]; readonly fault: string | undefined } {
  if (answer === undefined) return { made: undefined, fault: undefined };
  try {
    const response = answer(request);
    const location = headerOf(response, "location");
    return { made: { status: response.status, ...(location === undefined ? {} : { location: withoutQuery(location) }) }, fault: undefined };
  } catch (error) {
    return { made: undefined, fault: (error as Error).message };
  }
}

function changesOf({ route, host, requestHeaders, responseHeaders, targets }: CompiledRule): readonly string[] {
  const ofTargets = targets.flatMap((target: CompiledTarget) => [
    ...headerWords(target.requestHeaders, `for ${target.routed.target}`),
    ...headerWords(target.responseHeaders, `of responses of ${target.routed.target}`),
  ]);
  return [
    ...(host === undefined ? [] : [`sets host to ${host}`]),
    ...headerWords(requestHeaders, ""),
    ...headerWords(responseHeaders, "of responses"),
    ...ofTargets,
    ...(route.hashKey === undefined ? [] : ["has a key for pickers that hash"]),
    ...(route.options === undefined ? [] : [`has options of its own: ${Object.keys(route.options).join(", ")}`]),
    ...(route.mirror === undefined ? [] : ["copies calls"]),
    ...(route.fault === undefined ? [] : ["makes faults"]),
  ];
}

function headerWords(changes: CompiledChanges | undefined, of: string): readonly string[] {
  if (changes === undefined) return [];
  const names = (lines: CompiledChanges["set"]): readonly string[] => lines.map(([name]) => name);
  const all: readonly (readonly [verb: string, names: readonly string[]])[] = [
    ["removes", changes.removed],
    ["sets", names(changes.set)],
    ["sets where absent", names(changes.setIfAbsent)],
    ["adds", names(changes.added)],
  ];
  return all.flatMap(([verb, list]) => (list.length === 0 ? [] : [`${verb} ${list.join(", ")} ${of}`.trimEnd()]));
}
