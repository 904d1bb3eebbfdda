import type { Balancer } from "../balancer/balancer.ts";
import type { Candidacy } from "../balancer/candidates/candidacy.ts";
import { knowledgeOf, type PickerKnowledge, sharesGot, sharesMeant } from "../balancer/explained-shares.ts";
import type { Picker } from "../balancer/picker.ts";
import type { SubsetSelection } from "../balancer/selections.ts";
import type { Endpoint } from "../core/endpoint.ts";
import { describeError } from "../core/errors.ts";
import type { LeftOutCount } from "../core/left-out.ts";
import type { BreakerState } from "../core/observing/breaker-state.ts";
import type { CanaryReading } from "../core/observing/routes/canary-reading.ts";
import type { ConnectionReading } from "../core/observing/connection-reading.ts";
import type { IdentityReading } from "../core/observing/identity-reading.ts";
import type { RegistryReading } from "../core/observing/reading.ts";
import type { InstanceState, Upstream } from "../core/upstream.ts";
import type { OutsideEndpoint } from "../discovery/boundary/boundary.ts";
import type { InstanceStanding } from "../rotation/instance-standing.ts";
import type { Ejection, EndpointExplanation, ServiceExplanation, SubsetExplanation } from "./explanation.ts";
import { explanationTable } from "./explanation-table.ts";

interface Source {
  readonly service: string;
  readonly discovery: string;
  readonly ageMs: number | undefined;
  readonly lastError: unknown;
  readonly registry: RegistryReading;
  readonly leftOut: readonly LeftOutCount[];
  readonly outside: readonly OutsideEndpoint[];
  readonly unconfirmed: readonly Endpoint[];
  readonly breaker: BreakerState;
  readonly identity: IdentityReading | undefined;
  readonly peer: ServiceExplanation["peer"];
  readonly newestOf: (upstream: Upstream) => ConnectionReading | undefined;
  readonly standingOf: (upstream: Upstream) => InstanceStanding | undefined;
  readonly canaries: readonly CanaryReading[];
  readonly balancer: Balancer;
  readonly picker: Pick<Picker, "explain">;
  /** The time, in milliseconds since the epoch, and by `Clock.now()`. */
  readonly nowMs: number;
  readonly now: number;
}

/** The parts of an explanation that the instances of a service have in common. */
interface Shared {
  readonly unconfirmed: ReadonlySet<string>;
  readonly knowledge: ReadonlyMap<Upstream, PickerKnowledge>;
  readonly got: ReadonlyMap<Upstream, number>;
  readonly meant: ReadonlyMap<Upstream, number>;
}

/** Explains a service by the knowledge of its parts. It costs nothing unless it is called. */
export function explainService(source: Source): ServiceExplanation {
  const { service, discovery, ageMs, lastError, breaker, balancer, picker, nowMs } = source;
  const { upstreams } = balancer;
  const knowledge = new Map(upstreams.map((upstream) => [upstream, knowledgeOf(picker, upstream)]));
  const shared: Shared = {
    unconfirmed: new Set(source.unconfirmed.map(({ id }) => id)),
    knowledge,
    got: sharesGot(upstreams, source.now),
    meant: sharesMeant(balancer, knowledge),
  };
  const explanation = {
    service,
    discovery,
    ageMs,
    discoveryError: lastError === undefined ? undefined : describeError(lastError),
    registry: source.registry,
    leftOut: source.leftOut,
    breaker,
    identity: source.identity,
    peer: source.peer,
    endpoints: upstreams.map((upstream) => explainEndpoint(upstream, source, shared)),
    outside: source.outside,
    subsets: balancer.subsets.map(explainSubset),
    canaries: source.canaries,
  };
  // Not enumerable, since it is no part of the data: comparisons and JSON leave it out.
  return Object.defineProperty(explanation, "toString", { value: () => explanationTable(explanation, nowMs) });
}

function explainSubset({ subset, selection }: SubsetSelection): SubsetExplanation {
  const idsOf = (upstreams: readonly Upstream[]) => upstreams.map(({ id }) => id);
  return {
    name: subset.name,
    whenEmpty: subset.whenEmpty,
    endpoints: idsOf(selection.members),
    candidates: idsOf(selection.candidates),
  };
}

function explainEndpoint(
  upstream: Upstream,
  { balancer, standingOf, newestOf, nowMs }: Source,
  { unconfirmed, knowledge, got, meant }: Shared,
): EndpointExplanation {
  const candidacy = balancer.candidacyOf(upstream);
  const { rule, sinceMs, untilMs, ejections = 0, healthCheck } = standingOf(upstream) ?? {};
  const ejection = rule === undefined || sinceMs === undefined ? undefined : { rule, sinceMs, untilMs };
  return {
    endpoint: upstream.endpoint,
    address: upstream.address,
    state: upstream.state,
    avoided: candidacy.candidate ? knowledge.get(upstream)?.avoided : undefined,
    candidate: candidacy.candidate,
    reason: reasonOf(candidacy, upstream.state, ejection, nowMs),
    share: candidacy.share,
    shareGot: got.get(upstream),
    shareMeant: meant.get(upstream),
    slowStartRatio: candidacy.slowStartRatio,
    ejection,
    ejections,
    healthCheck,
    warning: unconfirmed.has(upstream.id) ? "discovery lists it no longer; kept until that is confirmed" : undefined,
    inFlight: upstream.inFlight,
    attempts: upstream.attempts,
    failures: upstream.failures,
    failureRatio: upstream.attempts === 0 ? undefined : upstream.failures / upstream.attempts,
    latencyMs: upstream.latencyMs,
    connection: { encrypted: upstream.endpoint.secure === true, newest: newestOf(upstream) },
    picker: knowledge.get(upstream)?.figures,
  };
}

function reasonOf({ candidate, reason }: Candidacy, state: InstanceState, ejection: Ejection | undefined, nowMs: number): string {
  if (ejection === undefined) return reason;
  const { rule, sinceMs, untilMs } = ejection;
  const seconds = (ms: number) => `${(Math.max(0, ms) / 1_000).toFixed(1)} s`;
  const until =
    state === "probing"
      ? "waits for a probe"
      : untilMs === undefined
        ? ""
        : rule === "operator"
          ? `back in ${seconds(untilMs - nowMs)}`
          : `a probe in ${seconds(untilMs - nowMs)} at the earliest`;
  const why = `out for ${seconds(nowMs - sinceMs)}: ${rule}${until === "" ? "" : `, ${until}`}`;
  return candidate ? `${why}; ${reason}` : why;
}
