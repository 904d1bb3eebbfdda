import { serviceHealth, worstFirst } from "../health/health.ts";
import type { InstanceReading, MeshSnapshot, ServiceRow } from "../snapshot.ts";

/** The place of a service in the graph, and of its instances where there is room for them. */
export interface PlacedService {
  readonly row: ServiceRow;
  readonly y: number;
  readonly instances: readonly { readonly instance: InstanceReading; readonly y: number }[];
}

/** The places of all boxes, in pixels. */
export interface GraphLayout {
  readonly services: readonly PlacedService[];
  /** Number of services without a place. */
  readonly hidden: number;
  readonly height: number;
  readonly hasInstances: boolean;
}

const rowHeight = 44;
const margin = 8;
const maxServices = 12;
const maxRows = 20;
/** Below this width the column of instances is left out. */
const narrow = 620;

/** How many times as busy a service must be to take the place of one that is drawn: equal ones would change places each second. */
const busier = 2;

/**
 * Places the services that matter most: failing and degraded ones, then the busiest; those that are `drawn` already stay while no other is
 * clearly busier. They are in the order of their names.
 */
export function layOut({ services }: MeshSnapshot, width: number, drawn: ReadonlySet<string>): GraphLayout {
  const isInTrouble = (row: ServiceRow) => ["failing", "degraded"].includes(serviceHealth(row));
  const rank = (row: ServiceRow) => (isInTrouble(row) ? worstFirst.indexOf(serviceHealth(row)) : worstFirst.length);
  const traffic = ({ service, rps }: ServiceRow) => (drawn.has(service) ? busier * (rps + 1) : rps);
  // While there is room for all services, the picture does not depend on their ranks.
  const chosen =
    services.length <= maxServices
      ? services
      : [...services].sort((one, other) => rank(one) - rank(other) || traffic(other) - traffic(one)).slice(0, maxServices);
  const names = new Set(chosen.map(({ service }) => service));
  const shown = services.filter(({ service }) => names.has(service));
  const hasInstances = width >= narrow;
  let left = Math.max(maxRows, shown.length) - shown.length;
  let top = margin;
  const placed = shown.map((row) => {
    const instances = hasInstances && row.instances !== null && row.instances.length - 1 <= left ? row.instances : [];
    const rows = Math.max(1, instances.length);
    left -= rows - 1;
    const from = top;
    top += rows * rowHeight;
    return {
      row,
      y: from + (rows * rowHeight) / 2,
      instances: instances.map((instance, index) => ({ instance, y: from + (index + 0.5) * rowHeight })),
    };
  });
  return { services: placed, hidden: services.length - shown.length, height: Math.max(top + margin, 96), hasInstances };
}
