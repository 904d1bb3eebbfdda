import type { Discovery } from "../../discovery/discovery.ts";
import type { ContractEndpoint } from "./contract.ts";

/** One discovery adapter with a source of its own that the suite can change. Every case makes one. */
export interface DiscoveryHarness {
  /** The adapter under test. */
  readonly discovery: Discovery;
  /** The service the suite watches. The source lists no instance of it at first. */
  readonly service: string;
  /** The name of a service that the source does not have. Default `contract-unknown`. */
  readonly unknownService?: string;
  /** A second service that `set` can fill too. */
  readonly otherService?: string;
  /** At least three instances with distinct addresses that the source can list. Default 127.0.0.1:8081 to 127.0.0.3:8083. */
  readonly instances?: readonly ContractEndpoint[];
  /**
   * Makes the source list exactly these instances of `service` (by default the harness's `service`). Resolves once a new query of the
   * source returns them.
   */
  set(endpoints: readonly ContractEndpoint[], service?: string): Promise<void>;
  /** Makes the source fail: it refuses connections, answers with errors, or has invalid content. */
  breakSource?(): Promise<void>;
  /** Ends {@link breakSource}: the source lists what it did before. */
  healSource?(): Promise<void>;
  /** Releases everything. */
  close(): Promise<void>;
  /** Time within which a change must be seen, in milliseconds, less than the limit of test runners. Default 4,000. */
  readonly withinMs?: number;
  /** Time within which a watch must end after its signal has aborted, in milliseconds. Default 1,000. */
  readonly stopWithinMs?: number;
}

/**
 * A feature that not every source has. `changes`: the list can change during a watch. `confirmations`: the adapter queries again and yields
 * a set that has not changed too, three times within `withinMs`; an adapter that is only notified of changes cannot. `breaking`: the
 * harness can break the source. `ports`: an instance can change its port. `weights`: the source has weights. `services`: the adapter lists
 * the catalogue. `two services`: the harness can fill a second service.
 */
export type DiscoveryFeature = "changes" | "confirmations" | "breaking" | "ports" | "weights" | "services" | "two services";
