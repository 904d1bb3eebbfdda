import type { Discovery } from "../../discovery/discovery.ts";
import type { ContractEndpoint } from "./contract.ts";

/** One discovery adapter with a source of its own that the suite can change. Made anew for every case. */
export interface DiscoveryHarness {
  /** What is tested. */
  readonly discovery: Discovery;
  /** The service the suite watches. The source lists no instance of it at first. */
  readonly service: string;
  /** A name the source has never heard of; `contract-unknown` unless that is taken. */
  readonly unknownService?: string;
  /** A second service that `set` can fill too. */
  readonly otherService?: string;
  /** At least three instances that the source can list, each with an address of its own; 127.0.0.1:8081 to 127.0.0.3:8083 by default. */
  readonly instances?: readonly ContractEndpoint[];
  /**
   * Makes the source list exactly these instances of `service` (the harness's `service` when absent). Resolves once a
   * reader that asks the source afresh is told so.
   */
  set(endpoints: readonly ContractEndpoint[], service?: string): Promise<void>;
  /** Makes the source fail: it refuses connections, answers with errors, or holds nonsense. */
  breakSource?(): Promise<void>;
  /** Ends that: the source says what it said before. */
  healSource?(): Promise<void>;
  /** Releases everything. */
  close(): Promise<void>;
  /** How soon a change must be seen, in milliseconds; 4,000 by default: before the time limit that test runners have. */
  readonly withinMs?: number;
  /** How soon a watch must end after its signal has aborted, in milliseconds; 1,000 by default. */
  readonly stopWithinMs?: number;
}

/**
 * What not every source has. `changes`: what it lists can change under a watch. `confirmations`: the adapter asks again and
 * says what has not changed too, three times within `withinMs`; one that is told of changes only has nothing to say.
 * `breaking`: the harness can break it. `ports`: an instance can change its port. `weights`: the source tells weights.
 * `services`: the adapter lists the catalogue. `two services`: the harness can fill a second one.
 */
export type DiscoveryFeature = "changes" | "confirmations" | "breaking" | "ports" | "weights" | "services" | "two services";
