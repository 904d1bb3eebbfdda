import type { EndpointExplanation, ServiceExplanation } from "../index.ts";
import { type Column, table } from "./terminal/table.ts";
import type { Terminal } from "./terminal/terminal.ts";
import { widthOf } from "./terminal/width.ts";

/** Writes an explanation: as the text that `String(mesh.explain(service))` is, or, where that is wider than the terminal, as a table that fits. */
export async function showExplanation(explanation: ServiceExplanation, terminal: Terminal): Promise<void> {
  const text = String(explanation);
  const lines = text.split("\n");
  if (lines.every((line) => widthOf(line) <= terminal.width())) return terminal.text(text);
  const rows = [...explanation.endpoints, ...explanation.outside];
  const head = rows.length === 0 ? lines : lines.slice(0, lines.indexOf(""));
  for (const line of head) await terminal.line(line);
  if (rows.length > 0) await terminal.lines(["", ...table(columns, rows, terminal.format === "wide", terminal.width())]);
}

/** An endpoint that the mesh may call, or one outside of the boundary. */
type Row = Pick<EndpointExplanation, "endpoint" | "address" | "reason"> & Partial<EndpointExplanation>;

const columns: readonly Column<Row>[] = [
  { title: "ENDPOINT", cell: ({ endpoint }) => endpoint.id },
  { title: "ADDRESS", spare: 2, cell: ({ address }) => address },
  { title: "ZONE", spare: 4, cell: ({ endpoint }) => endpoint.zone ?? "-" },
  { title: "PRIORITY", align: "right", spare: 6, cell: ({ endpoint }) => String(endpoint.priority ?? 0) },
  { title: "WEIGHT", align: "right", spare: 5, cell: ({ endpoint }) => String(endpoint.weight ?? 1) },
  {
    title: "MEANT",
    align: "right",
    spare: 3,
    cell: ({ shareMeant }) => (shareMeant === undefined ? "-" : `${Number((100 * shareMeant).toFixed(1))} %`),
  },
  { title: "TLS", isWide: true, cell: ({ endpoint }) => (endpoint.secure === true ? "yes" : "no") },
  { title: "WHY", cell: ({ reason, warning }) => (warning === undefined ? reason : `${reason}; ${warning}`) },
];
