import type { Attributes } from "@opentelemetry/api";
import type { ServerConnectionEvent } from "../../core/observing/events.ts";
import { type IdentityReading, identityStates } from "../../core/observing/identity-reading.ts";
import type { MeshReading } from "../../core/observing/reading.ts";
import { attribute } from "../attribute-names.ts";
import { ValueSets } from "./attribute-sets.ts";
import type { GaugeKey, Report, Sink } from "./metric-sink.ts";

type Role = "client" | "server";

/** The sets of one role. */
interface RoleSeries {
  readonly attributes: Attributes;
  readonly states: ValueSets;
  /** Whether there was an identity: its states are zeros from then on, and not missing. */
  isKnown: boolean;
}

/** The sets of the connections to the servers of one service. */
interface ServerSeries {
  readonly encryptions: ValueSets;
  readonly refusals: ValueSets;
}

/** The metrics of the identities of this process, and of the connections to its servers. The names of the services are its own, so that each has series. */
export class SecurityMetrics {
  readonly #roles: Readonly<Record<Role, RoleSeries>> = { client: roleSeries("client"), server: roleSeries("server") };
  readonly #servers = new Map<string, ServerSeries>();
  readonly #sink: Sink;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  readonly countConnection = ({ service, encryption, refusal }: ServerConnectionEvent): void => {
    const instruments = this.#sink.current();
    if (instruments === undefined) return;
    const { encryptions, refusals } = this.#ofServer(service);
    if (refusal !== undefined) instruments.serverConnectionsRefused.add(1, refusals.of(refusal));
    else instruments.serverConnections.add(1, encryptions.of(encryption ?? "none"));
  };

  /** Reports the identities of `mesh` and of its servers. */
  report(mesh: MeshReading, report: Report<GaugeKey>): void {
    const own = mesh.identity?.();
    this.#reportRole(this.#roles.client, own === undefined ? [] : [own], report);
    const served = mesh.servers().flatMap(({ identity }) => (identity === undefined ? [] : [identity]));
    this.#reportRole(this.#roles.server, served, report);
  }

  #reportRole(role: RoleSeries, identities: readonly IdentityReading[], report: Report<GaugeKey>): void {
    const { attributes, states } = role;
    role.isKnown ||= identities.length > 0;
    if (!role.isKnown) return;
    for (const state of identityStates) report("identities", identities.filter((each) => each.state === state).length, states.of(state));
    const [first] = identities.filter(({ expiresAtMs }) => expiresAtMs !== undefined).sort((one, other) => endOf(one) - endOf(other));
    if (first === undefined) return;
    report("certificateExpiry", endOf(first) / 1000, attributes);
    report("certificateLifetime", (first.lifetimeMs ?? 0) / 1000, attributes);
  }

  #ofServer(service: string): ServerSeries {
    let series = this.#servers.get(service);
    if (series === undefined) {
      const base = { [attribute.service]: service };
      series = { encryptions: new ValueSets(base, attribute.encryption), refusals: new ValueSets(base, attribute.connectionRefusal) };
      this.#servers.set(service, series);
    }
    return series;
  }
}

function roleSeries(role: Role): RoleSeries {
  const attributes = { [attribute.identityRole]: role };
  return { attributes, states: new ValueSets(attributes, attribute.identityState), isKnown: false };
}

function endOf({ expiresAtMs }: IdentityReading): number {
  return expiresAtMs ?? Number.POSITIVE_INFINITY;
}
