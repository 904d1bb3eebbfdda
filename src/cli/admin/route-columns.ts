import type { RouteRow, RouteTargetRow } from "../../admin/admin.ts";
import type { Column } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

/** A line of `inmesh stat --routes`: a rule with its first target, or another of its targets. */
export interface RouteLine {
  /** `undefined` for a line of a further target. */
  readonly rule: RouteRow | undefined;
  readonly target: RouteTargetRow | undefined;
}

/** The lines of rules: one for each target of a split. */
export function routeLineRows(routes: readonly RouteRow[]): readonly RouteLine[] {
  return routes.flatMap((rule) => {
    const [first, ...others] = rule.targets;
    return [{ rule, target: first }, ...others.map((target) => ({ rule: undefined, target }))];
  });
}

/** The columns of `inmesh stat --routes`. */
export function routeColumns(terminal: Pick<Terminal, "style">): readonly Column<RouteLine>[] {
  const count =
    (read: (rule: RouteRow) => number) =>
    ({ rule }: RouteLine) =>
      rule === undefined ? "" : String(read(rule));
  const alarming =
    (read: (rule: RouteRow) => number) =>
    (text: string, { rule }: RouteLine) =>
      rule !== undefined && read(rule) > 0 ? terminal.style("yellow", text) : text;
  return [
    { title: "RULE", cell: ({ rule }) => rule?.name ?? "" },
    { title: "TO", cell: placeOf },
    { title: "SHARE", align: "right", cell: ({ target }) => (target === undefined ? "" : `${Number((target.share * 100).toFixed(2))}%`) },
    { title: "CALLS/MIN", align: "right", cell: ({ target }) => (target === undefined ? "" : String(target.callsPerMinute)) },
    { title: "FAILED", align: "right", cell: count(({ failures }) => failures), paint: alarming(({ failures }) => failures) },
    { title: "COPIES", align: "right", spare: 2, cell: count(({ copies }) => copies) },
    {
      title: "LEFT OUT",
      align: "right",
      spare: 1,
      cell: count(({ copiesLeftOut }) => copiesLeftOut),
      paint: alarming(({ copiesLeftOut }) => copiesLeftOut),
    },
    { title: "FAULTS", align: "right", cell: count(({ faults }) => faults), paint: alarming(({ faults }) => faults) },
  ];
}

function placeOf({ rule, target }: RouteLine): string {
  if (rule?.parts.includes("redirect") === true) return "redirect";
  if (rule?.parts.includes("respond") === true) return "answer";
  if (target === undefined) return "";
  const service = target.service ?? "the called service";
  return target.subset === null ? service : `${service} (${target.subset})`;
}
