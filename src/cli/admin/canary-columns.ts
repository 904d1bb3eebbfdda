import { canaryHealth, evidenceText } from "../../admin/health/canaries.ts";
import type { CanaryRow } from "../../admin/routes/canary-row.ts";
import type { Column } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { healthColours } from "./service-columns.ts";

/** The columns of canaries in `inmesh stat` and `inmesh top`. */
export function canaryColumns(terminal: Pick<Terminal, "style">): readonly Column<CanaryRow>[] {
  return [
    { title: "CANARY", cell: ({ rule }) => rule },
    { title: "SERVICE", spare: 2, cell: ({ service }) => service ?? "-" },
    { title: "SHARE", align: "right", cell: ({ share }) => `${Number((share * 100).toFixed(2))}%` },
    { title: "STEP", align: "right", spare: 1, cell: ({ step, steps }) => `${step}/${steps.length}` },
    { title: "PHASE", cell: ({ state }) => state, paint: (text, row) => terminal.style(healthColours[canaryHealth(row)], text) },
    { title: "EVIDENCE", cell: evidenceText },
  ];
}
