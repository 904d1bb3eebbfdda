import { addressOf, type Endpoint } from "../core/endpoint.ts";
import type { Column } from "./terminal/table.ts";

/** The JSON of an endpoint. */
export interface EndpointView {
  readonly id: string;
  readonly address: string;
  readonly secure: boolean;
  readonly weight: number;
  readonly priority: number;
  readonly zone: string | null;
  readonly metadata: Readonly<Record<string, string>>;
}

/** An endpoint with all defaults filled in. */
export function endpointView(endpoint: Endpoint): EndpointView {
  const { id, secure = false, weight = 1, priority = 0, zone = null, metadata = {} } = endpoint;
  return { id, address: addressOf(endpoint), secure, weight, priority, zone, metadata };
}

/** The columns of a table of endpoints. */
export const endpointColumns: readonly Column<EndpointView>[] = [
  { title: "ID", cell: ({ id }) => id },
  { title: "ADDRESS", cell: ({ address }) => address },
  { title: "TLS", spare: 2, cell: ({ secure }) => (secure ? "yes" : "no") },
  { title: "ZONE", spare: 1, cell: ({ zone }) => zone ?? "-" },
  { title: "WEIGHT", align: "right", spare: 3, cell: ({ weight }) => String(weight) },
  { title: "PRIORITY", align: "right", isWide: true, cell: ({ priority }) => String(priority) },
  {
    title: "METADATA",
    isWide: true,
    cell: ({ metadata }) =>
      Object.entries(metadata)
        .map(([name, value]) => `${name}=${value}`)
        .join(" ") || "-",
  },
];
