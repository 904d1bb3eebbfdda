import type { Clock } from "../../core/clock.ts";
import type { ServerObservers } from "../../core/observing/served-mesh.ts";
import { GrpcHealth } from "../grpc/grpc-health.ts";
import type { GrpcApplication } from "../grpc/grpc-js-server.ts";
import type { GrpcHealthOptions } from "../grpc/health-options.ts";
import { Authentication } from "./authentication/authentication.ts";
import { authorizationOptions } from "./authorization/authorization-options.ts";
import { AuthorizationPart } from "./authorization/authorization-part.ts";
import { DeadlinePart } from "./deadline-part.ts";
import { type HealthSettings, healthOptions } from "./health-options.ts";
import type { InboundSettings } from "./inbound-options.ts";
import type { InboundPart } from "./inbound-request.ts";
import { inboundConcurrencyOptions } from "./limits/concurrency-options.ts";
import { InboundConcurrency } from "./limits/inbound-concurrency.ts";
import { RateLimit } from "./limits/rate-limit.ts";
import { rateLimitOptions } from "./limits/rate-limit-options.ts";
import { Shedding } from "./limits/shedding.ts";
import { sheddingOptions } from "./limits/shedding-options.ts";
import { loadOptions } from "./load/load-options.ts";
import { LoadPart } from "./load/load-part.ts";
import { ProcessLoad } from "./load/process-load.ts";
import { AccessLog, type Observe } from "./log/access-log.ts";
import { accessLogOptions } from "./log/access-log-options.ts";
import { Networks } from "./networks.ts";
import { ObservePart } from "./observe-part.ts";
import { type AskReadiness, OwnPaths } from "./own-paths.ts";
import { ForwardedIdentity } from "./proxies/forwarded-identity.ts";
import { StripHeaders } from "./strip-headers.ts";
import { type TrustSettings, trustOptions } from "./trust-options.ts";
import { UpgradeJudge } from "./upgrade-judge.ts";

/** The things that the parts share. */
export interface InboundContext {
  readonly readiness: AskReadiness;
  /** The observers of the mesh; `undefined` without one. */
  readonly observers: ServerObservers | undefined;
  /** Adds an observer to the mesh; `undefined` without one. */
  readonly observe: Observe | undefined;
  /** The server of gRPC in front of which this is, if it is one. */
  readonly grpc: Pick<GrpcApplication, "services"> | undefined;
}

/** The parts of a middleware. */
export interface Pipeline {
  /** In the order in which a request comes to them; its end is told to them from the last one back. */
  readonly parts: readonly InboundPart[];
  readonly own: OwnPaths;
  /** gRPC's health service; `undefined` where handlers answer for it. */
  readonly grpcHealth: GrpcHealth | undefined;
  /** For requests that leave HTTP, and pass none of the parts. */
  readonly upgrades: UpgradeJudge;
  readonly process: ProcessLoad;
  readonly log: AccessLog | undefined;
  readonly authorization: AuthorizationPart | undefined;
}

/** Makes the parts that the options ask for, in their order. */
export function inboundPipeline(settings: InboundSettings, { readiness, observers, observe, grpc }: InboundContext): Pipeline {
  const { health, trust, load, authentication, authorization, concurrency, rateLimit, shedding, accessLog, clock, random } = settings;
  const reported = load === false ? undefined : loadOptions.settle(load);
  const process: ProcessLoad = new ProcessLoad(clock, (): boolean => loadPart.inFlight > 0);
  const loadPart: LoadPart = new LoadPart(reported ?? { ...loadOptions.settle({}), header: "never" }, process, () => clock.now());
  // First of those that are made: a wrong policy is an error before anything is open.
  const authorizing = authorization === false ? undefined : new AuthorizationPart(authorizationOptions.settle(authorization), clock);
  const trusted = trust === false ? undefined : trustOptions.settle(trust);
  const strip = trusted && new StripHeaders(trusted);
  const forwarded = trusted && forwardedIdentity(trusted);
  const log = accessLog === false ? undefined : new AccessLog(accessLogOptions.settle(accessLog), { clock, random, observe });
  const paths = health === false ? false : healthOptions.settle(health);
  const grpcHealth = paths === false ? undefined : grpcHealthOf(paths, { readiness, grpc, clock });
  const own = new OwnPaths(paths, reported === undefined ? undefined : { path: reported.path, part: loadPart }, readiness, grpcHealth);
  const parts: readonly (InboundPart | false | undefined)[] = [
    // Before all limits: a probe that a limit refuses takes a busy instance out of service, and its load to the others. Probes are no requests of users either,
    // so nothing below counts them.
    own,
    // Before everything that reads a header: nothing may see one that its sender had no right to.
    strip,
    // Before everything that asks for the caller.
    forwarded,
    // Above all that refuses, so that refusals are logged, measured and traced as answers of this service.
    log,
    observers !== undefined && new ObservePart(observers, clock),
    // A request that is not waited for any more takes no token and no place.
    settings.deadline && new DeadlinePart(),
    // Before the other limits: the cheapest answer, while the process can least afford another one.
    shedding !== false && new Shedding(sheddingOptions.settle(shedding), process),
    // Before the limit of all: one caller's surplus must not wait in the queue in front of others.
    rateLimit !== false && new RateLimit(rateLimitOptions.settle(rateLimit), clock),
    // Below the limits, since to verify a token costs more than they do; above what decides by it.
    authentication.length > 0 && new Authentication(authentication),
    // Decides by the caller and its tokens. Above the load and the places: a request that may not be here counts in neither.
    authorizing,
    // Counts what this instance has taken on, also while it waits for a place: that is its load.
    (reported !== undefined || shedding !== false) && loadPart,
    // Last: a place is held only by what is handled.
    concurrency !== false && new InboundConcurrency(inboundConcurrencyOptions.settle(concurrency), clock),
  ];
  const upgrades = new UpgradeJudge({ strip, forwarded, providers: authentication, authorization: authorizing });
  const used = parts.filter((part) => part !== false && part !== undefined);
  return { parts: used, own, grpcHealth, upgrades, process, log, authorization: authorizing };
}

/** By itself for a server of grpc-js alone, and only where that has none of its own. */
function grpcHealthOf(
  { grpc: asked }: HealthSettings,
  { readiness, grpc, clock }: Pick<InboundContext, "readiness" | "grpc"> & { readonly clock: Clock },
): GrpcHealth | undefined {
  if (asked === false || (asked === undefined && grpc?.services().includes("grpc.health.v1.Health") !== false)) return undefined;
  const { services }: GrpcHealthOptions = asked ?? {};
  return new GrpcHealth({ clock, readiness, services: () => services ?? grpc?.services() ?? [] });
}

function forwardedIdentity({ identity, peers }: TrustSettings): ForwardedIdentity | undefined {
  return typeof identity !== "string" ? undefined : new ForwardedIdentity(identity, new Networks("inbound: trust.peers", peers));
}
