import type { RuleReading } from "../core/observing/routes/route-reading.ts";
import type { CompiledRule } from "./compiled-rule.ts";
import type { RouteTable } from "./route-table.ts";

const parts = ["to", "split", "redirect", "respond", "rewrite", "requestHeaders", "responseHeaders", "options", "mirror", "fault"] as const;

/** The rules of a table, with the shares of their targets at this moment; none without a table. */
export function readRoutes(table: RouteTable | undefined): readonly RuleReading[] {
  return table?.rules.map(readRule) ?? [];
}

function readRule({ name, route, targets, choice, live }: CompiledRule): RuleReading {
  if (live !== undefined) choice?.use(live.weights);
  const shares = choice?.shares ?? [1];
  return {
    name,
    parts: parts.filter((part) => route[part] !== undefined),
    targets: targets.map(({ service, routed: { target, subset } }, index) => ({
      name: target,
      service,
      subset: subset?.name,
      share: shares[index] ?? 0,
    })),
  };
}
