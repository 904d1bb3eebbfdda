import type { Clock } from "../core/clock.ts";
import type { IdentityReading } from "../core/observing/identity-reading.ts";
import type { RegistryReading, ServiceReading } from "../core/observing/reading.ts";
import type { InstanceState } from "../core/upstream.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { endpointRow, instanceOf, outsideRow } from "./endpoint-rows.ts";
import { registrySummary } from "./health/registry-summary.ts";
import type { Recorder } from "./recorder.ts";
import { canaryRow } from "./routes/canary-row.ts";
import { configurationRow } from "./routes/configuration-row.ts";
import { type ServiceTally, secondOf } from "./service-tally.ts";
import { shownText } from "./shown-text.ts";
import type { IdentityRow, MeshSnapshot, RegistryRow, ServiceRow, ServiceSnapshot } from "./snapshot.ts";

const rateS = 10;
const shareS = 60;
/** A service with at most so many instances is shown with them. */
const fewInstances = 8;
const maxOutside = 100;

/** The part of a service that a request asks for. */
export interface ServiceQuery {
  readonly state: InstanceState | undefined;
  /** A text to find, in lower case. */
  readonly find: string;
  readonly offset: number;
  readonly limit: number;
  /** Only seconds after this one, in seconds since the epoch. */
  readonly sinceS: number;
}

/** The sources of {@link Readings}. */
export interface ReadingsOptions {
  readonly mesh: Pick<Mesh, "explain">;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly dashboardUrl: string | undefined;
  readonly canChange: boolean;
}

/** Composes the answers of the API, at the time of a request. */
export class Readings {
  readonly #options: ReadingsOptions;
  /** Difference between seconds since the epoch and seconds of the clock. Computed once: rounded each time, it would vary by one. */
  readonly #offsetS: number;

  constructor(options: ReadingsOptions) {
    const { clock } = options;
    this.#options = options;
    this.#offsetS = Math.round((clock.wallNow() - clock.now()) / 1_000);
  }

  /** The process and each of its services. */
  mesh(): MeshSnapshot {
    const { recorder, clock } = this.#options;
    const services = (recorder.reading?.services() ?? []).map((reading) => this.#row(reading));
    services.sort((one, other) => (one.service < other.service ? -1 : 1));
    return {
      version: 1,
      atMs: clock.wallNow(),
      process: {
        pid: process.pid,
        node: process.version,
        uptimeS: process.uptime(),
        zone: recorder.reading?.zone ?? null,
        certificateExpiresAtMs: recorder.reading?.certificateExpiresAtMs ?? null,
        identity: identityRow(recorder.reading?.identity?.()),
      },
      registry: registrySummary(services.map((row) => row.registry)),
      servers: (recorder.reading?.servers() ?? []).map(({ identity, callersMode, ...each }) => ({
        ...each,
        identity: identityRow(identity),
        callersMode: callersMode ?? null,
      })),
      registrations: (recorder.reading?.registrations() ?? []).map((each) => ({ ...each, registry: shownText(each.registry) })),
      services,
      routes: recorder.routes.rows(recorder.reading?.routes?.() ?? []),
      canaries: (recorder.reading?.canaries?.() ?? []).map(canaryRow),
      configuration: configurationRow(recorder.reading?.configuration?.()),
    };
  }

  /** One service with its endpoints; `undefined` for one that was never called. */
  service(name: string, { state, find, offset, limit, sinceS }: ServiceQuery): ServiceSnapshot | undefined {
    const { mesh, recorder, clock, canChange } = this.#options;
    const explanation = mesh.explain(name);
    const reading = recorder.reading?.services().find(({ service }) => service === name);
    if (explanation === undefined || reading === undefined) return undefined;
    const tally = recorder.tally(name);
    const found = explanation.endpoints.filter((explained) => {
      if (state !== undefined && explained.state !== state) return false;
      const { endpoint, address, reason } = explained;
      return find === "" || [endpoint.id, address, endpoint.zone ?? "", reason].some((text) => text.toLowerCase().includes(find));
    });
    // Instances that are out are what an operator looks for.
    const ordered = [...found.filter((each) => each.state !== "available"), ...found.filter((each) => each.state === "available")];
    const nowS = secondOf(clock);
    return {
      ...this.#row(reading),
      version: 1,
      atMs: clock.wallNow(),
      discovery: shownText(explanation.discovery),
      discoveryError: explanation.discoveryError === undefined ? null : shownText(explanation.discoveryError),
      leftOut: explanation.leftOut.map(({ reason, count }) => ({ reason: shownText(reason), count })),
      outside: explanation.outside.slice(0, maxOutside).map(outsideRow),
      canaries: explanation.canaries.map(canaryRow),
      endpointRows: ordered.slice(offset, offset + limit).map((explained) => endpointRow(explained, tally, clock.wallNow())),
      endpointsFound: found.length,
      canChange,
      errors: tally.errors.list(),
      seconds: tally.seconds.list(nowS, sinceS, this.#offsetS),
    };
  }

  #row(reading: ServiceReading): ServiceRow {
    const { clock, dashboardUrl } = this.#options;
    const { service, discoveryAgeMs, registry, concurrency } = reading;
    const tally = this.#joined(service);
    const nowS = secondOf(clock);
    const recent = tally.seconds.sum(nowS, rateS);
    const { sums } = tally.seconds.sum(nowS, shareS);
    const perS = (count: number) => count / Math.max(1, recent.seconds);
    return {
      ...reading,
      discoveryAgeMs: discoveryAgeMs ?? null,
      registry: registryRow(registry),
      concurrency: concurrency ?? null,
      rps: perS(recent.sums.calls),
      attemptsPerS: perS(recent.sums.attempts),
      retriesPerS: perS(recent.sums.retries),
      hedgesPerS: perS(recent.sums.hedges),
      success: { effective: shareOf(sums.calls, sums.failures), actual: shareOf(sums.attempts, sums.attemptFailures) },
      latencyMs: tally.seconds.latencies(nowS),
      secured: tally.secured,
      instances: this.#instancesOf(reading, tally),
      dashboardUrl: dashboardUrl === undefined ? null : dashboardUrl.replaceAll("{service}", encodeURIComponent(service)),
    };
  }

  /** The tally of a service. Where it was watched before the recorder joined, the mesh says what discovery has listed since. */
  #joined(service: string): ServiceTally {
    const tally = this.#options.recorder.tally(service);
    if (!tally.isListed) tally.list(this.#options.mesh.explain(service)?.endpoints.map(({ endpoint }) => endpoint) ?? []);
    return tally;
  }

  #instancesOf({ service, endpoints }: ServiceReading, tally: ServiceTally): ServiceRow["instances"] {
    if (Object.values(endpoints).reduce((sum, count) => sum + count, 0) > fewInstances) return null;
    return this.#options.mesh.explain(service)?.endpoints.map((explained) => instanceOf(explained, tally)) ?? [];
  }
}

function identityRow(identity: IdentityReading | undefined): IdentityRow | null {
  if (identity === undefined) return null;
  const { source, state, id, expiresAtMs, lifetimeMs, failure } = identity;
  return {
    source: shownText(source),
    state,
    id: id ?? null,
    expiresAtMs: expiresAtMs ?? null,
    lifetimeMs: lifetimeMs ?? null,
    failure: failure === undefined ? null : shownText(failure),
  };
}

function registryRow({ source, state, failingMs, error }: RegistryReading): RegistryRow {
  return { source: shownText(source), state, failingMs: failingMs ?? null, error: error === undefined ? null : shownText(error) };
}

function shareOf(all: number, failed: number): number | null {
  return all === 0 ? null : (all - failed) / all;
}
