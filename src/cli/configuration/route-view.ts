import type { ExplainedTarget, RouteExplanation } from "../../index.ts";
import { plain } from "../terminal/plain.ts";

/** The lines of an explanation of a route. `all`: the rules before it, too, each with the reason. */
export function routeLines(explanation: RouteExplanation): readonly string[] {
  const { service, method, path, rule, index, targets, sentPath, changes, answer, fault, before } = explanation;
  const place = rule === `routes[${index}]` ? "" : ` (routes[${index}])`;
  return [
    `${method} ${path} of ${service}`,
    rule === undefined ? "no route matches: the call goes where it was sent" : `route ${rule}${place} decides`,
    ...(answer === undefined
      ? []
      : [`  answers with status ${answer.status}${answer.location === undefined ? "" : `, to ${answer.location}`}`]),
    ...(fault === undefined ? [] : [`  cannot be applied: ${fault}`]),
    ...targets.map((target) => `  ${targetLine(target, targets.length)}`),
    ...(sentPath === undefined || sentPath === path ? [] : [`  path ${sentPath}`]),
    ...changes.map((change) => `  ${change}`),
    ...before.map((each) => `not ${each.rule}: ${each.because.join("; ")}`),
  ].map(plain);
}

function targetLine({ name, service, subset, share, chosen }: ExplainedTarget, count: number): string {
  const to = `to ${service}${subset === undefined ? "" : `, instances of ${subset}`}`;
  if (count === 1) return to;
  const percent = `${Number((share * 100).toFixed(3))} %`;
  return `${percent} ${to}${name === service ? "" : ` (${name})`}${chosen === true ? ": this call" : ""}`;
}
