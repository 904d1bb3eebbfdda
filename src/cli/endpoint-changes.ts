import { addressOf, type Endpoint } from "../core/endpoint.ts";
import type { EndpointsUpdate } from "../extend.ts";

/** A change of the endpoints of a service, or an error. */
export interface EndpointChange {
  readonly event: "added" | "removed" | "changed" | "quarantine" | "confirmed" | "rejected" | "error";
  /** The endpoint of `added`, `removed` and `changed`. */
  readonly endpoint?: Endpoint;
  /** The former data of a `changed` endpoint. */
  readonly before?: Endpoint;
  /** A sentence, for all other events. */
  readonly message?: string;
}

/** Derives the changes between one answer of discovery and the next. */
export class EndpointChanges {
  readonly #tell: (change: EndpointChange) => void;
  #known: ReadonlyMap<string, Endpoint> = new Map();
  #isFirst = true;
  #isQuarantined = false;
  #rejected: ReadonlySet<string> = new Set();

  constructor(tell: (change: EndpointChange) => void) {
    this.#tell = tell;
  }

  /** Takes an answer of discovery and reports its changes. */
  update({ endpoints, rejected, leftOut = [], quarantined }: EndpointsUpdate): void {
    const next = new Map(endpoints.map((endpoint) => [endpoint.id, endpoint]));
    for (const [id, endpoint] of this.#known) if (!next.has(id)) this.#tell({ event: "removed", endpoint });
    for (const [id, endpoint] of next) {
      const before = this.#known.get(id);
      if (before === undefined) this.#tell({ event: "added", endpoint });
      else if (before !== endpoint && differencesOf(before, endpoint).length > 0) this.#tell({ event: "changed", endpoint, before });
    }
    if (this.#isFirst && endpoints.length === 0) this.#tell({ event: "confirmed", message: "discovery lists no endpoint" });
    if (quarantined && !this.#isQuarantined)
      this.#tell({
        event: "quarantine",
        message: "the answer lists far fewer endpoints; those that it leaves out stay in use until it is confirmed",
      });
    if (!quarantined && this.#isQuarantined) this.#tell({ event: "confirmed", message: "the answers of discovery are accepted again" });
    this.#tellRejected([...rejected, ...leftOut.map(({ id, reason }) => ({ entry: id ?? "an entry without an id", reason }))]);
    this.#known = next;
    this.#isFirst = false;
    this.#isQuarantined = quarantined;
  }

  #tellRejected(rejected: EndpointsUpdate["rejected"]): void {
    const messages = new Set(rejected.map(({ entry, reason }) => `${reason}: ${(JSON.stringify(entry) ?? "").slice(0, 300)}`));
    for (const message of messages) if (!this.#rejected.has(message)) this.#tell({ event: "rejected", message });
    this.#rejected = messages;
  }
}

/** The differences between two states of an endpoint: `weight 1 → 2`. */
export function differencesOf(before: Endpoint, after: Endpoint): readonly string[] {
  const differences: string[] = [];
  const compare = (name: string, one: unknown, other: unknown): void => {
    if (one !== other) differences.push(`${name} ${one ?? "none"} → ${other ?? "none"}`);
  };
  compare("address", addressOf(before), addressOf(after));
  compare("tls", before.secure ?? false, after.secure ?? false);
  compare("weight", before.weight ?? 1, after.weight ?? 1);
  compare("priority", before.priority ?? 0, after.priority ?? 0);
  compare("zone", before.zone, after.zone);
  const [was, is] = [before.metadata ?? {}, after.metadata ?? {}];
  for (const name of new Set([...Object.keys(was), ...Object.keys(is)])) compare(name, own(was, name), own(is, name));
  return differences;
}

function own(metadata: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(metadata, name) ? metadata[name] : undefined;
}
