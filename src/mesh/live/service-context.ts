import type { Clock, Random } from "../../core/clock.ts";
import type { CanaryReading } from "../../core/observing/routes/canary-reading.ts";
import type { CallerZones } from "../../discovery/caller-zones.ts";
import type { Catalogue } from "../../discovery/catalogue.ts";
import type { Discovery } from "../../discovery/discovery.ts";
import type { LastGood } from "../../discovery/last-good/last-good.ts";
import type { CallTracing } from "../../telemetry/observing/call-tracing.ts";
import type { Observers } from "../../telemetry/observing/observers.ts";
import type { OwnIdentity } from "../../wire/identity/own-identity.ts";
import type { Transport } from "../../wire/transport.ts";

/** The parts that all services of one mesh share. */
export interface ServiceContext {
  readonly discovery: Discovery;
  readonly lastGood?: LastGood | undefined;
  /** Told when discovery lists an endpoint of a service. */
  readonly onListed?: (service: string) => void;
  readonly catalogue: Catalogue;
  /** As much of the transport as a service uses, so that a simulation can replace it. */
  readonly transport: Pick<Transport, "dispatch" | "release"> & Partial<Pick<Transport, "connect" | "connector">>;
  /** The identity of this process towards instances. @default none, as in a simulation */
  readonly ownIdentity?: Pick<OwnIdentity, "reading">;
  readonly observers: Observers;
  /** Absent where no call is traced. */
  readonly tracing?: CallTracing;
  /** The name of this mesh to instances, which is random. @default none, as in a simulation */
  readonly caller?: string | undefined;
  /** The zone of this process. */
  readonly zone?: string | undefined;
  /** The canaries of routes that lead to a service. */
  readonly canariesOf?: (service: string) => readonly CanaryReading[];
  readonly callerZones?: CallerZones;
  readonly clock: Clock;
  readonly random: Random;
}
