import { figuresLine } from "../../core/text/figures.ts";
import type { CallTrace, ComparedInstance, PickDecision } from "../../index.ts";
import { type Column, table } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

/** A candidate of a decision, and whether it was chosen. */
type Candidate = ComparedInstance & { readonly isChosen: boolean };

const columns: readonly Column<Candidate>[] = [
  { title: "", cell: ({ isChosen }) => (isChosen ? "→" : "") },
  { title: "CANDIDATE", cell: ({ endpoint }) => endpoint },
  { title: "STATE", spare: 2, cell: ({ state }) => state },
  { title: "IN FLIGHT", align: "right", spare: 1, cell: ({ inFlight }) => String(inFlight) },
  { title: "FIGURES", cell: ({ figures }) => figuresLine(figures) || "-" },
];

/** The decisions of a call as lines: why each attempt went where it did, and the candidates that were compared. Escaped. */
export function traceLines({ decisions }: CallTrace, terminal: Pick<Terminal, "width">): readonly string[] {
  if (decisions.length === 0) return ["no instance was asked"];
  return decisions.flatMap((decision) => [
    headOf(decision),
    ...table(
      columns,
      decision.compared.map((each) => ({ ...each, isChosen: each.endpoint === decision.endpoint })),
      false,
      terminal.width(),
    ),
  ]);
}

function headOf({ kind, attempt, atMs, endpoint, address, reason, candidates, compared, result }: PickDecision): string {
  const what = kind === "first" ? `attempt ${attempt}` : `attempt ${attempt} (${kind})`;
  const where = endpoint === address ? address : `${endpoint} at ${address}`;
  const end = result === undefined ? "no answer yet" : `${result.status ?? result.code} after ${result.ms.toFixed(1)} ms`;
  const part = compared.length > 0 && compared.length < candidates ? `, ${compared.length} of ${candidates} candidates compared` : "";
  return `${what} at ${atMs.toFixed(1)} ms: ${where}, ${end}; ${reason}${part}`;
}
