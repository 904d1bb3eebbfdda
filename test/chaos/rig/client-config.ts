import type { DnsOptions } from "../../../src/discovery/dns/dns.ts";
import type { ListedEndpoint } from "../../../src/discovery/file/service-list.ts";
import type { FileIdentityOptions } from "../../../src/identity/files/file-options.ts";
import type { MeshOptions } from "../../../src/mesh/mesh-options.ts";
import type { ConsulOptions } from "../../../src/registries/consul.ts";
import type { EurekaOptions } from "../../../src/registries/eureka.ts";

/** Where a client finds the instances of `shop`. */
export type DiscoveryConfig =
  | { readonly kind: "static"; readonly endpoints: readonly ListedEndpoint[] }
  | { readonly kind: "consul"; readonly options: ConsulOptions }
  | { readonly kind: "eureka"; readonly options: EurekaOptions }
  | { readonly kind: "dns"; readonly options: DnsOptions };

/** What sends the requests: the mesh, or one of the bad clients that show what the rig notices. */
export type SenderKind = "mesh" | "blind" | "forgetful";

/** What a client process is started with. */
export interface ClientConfig {
  readonly name: string;
  readonly seed: number;
  readonly rps: number;
  /** The rest are GETs. */
  readonly postShare: number;
  readonly discovery: DiscoveryConfig;
  /** Beside the discovery; nothing unless the row says so. */
  readonly mesh?: Omit<MeshOptions, "discovery" | "identity" | "observers" | "clock" | "random" | "picker" | "services" | "interceptors">;
  /** The files of its identity. */
  readonly identity?: FileIdentityOptions;
  /** The addresses of host names that no resolver knows. */
  readonly hosts?: Readonly<Record<string, readonly string[]>>;
  /** The default picker unless told otherwise. */
  readonly picker?: "weighted" | "roundRobin";
  readonly sender?: SenderKind;
  /** A call that has not settled after so long is lost: 11 s, the deadline of a call by default and a second. */
  readonly patienceMs?: number;
  /** This share of the calls is given up by the caller after up to 20 ms. */
  readonly abortShare?: number;
  /** The bodies of POSTs have about so many bytes. */
  readonly uploadBytes?: number;
  /** Every so many-th call is made for a request whose caller, outside, waits 2 ms for it. */
  readonly hurriedEvery?: number;
  /** With each call so many are made to services that do not exist, each of another name. */
  readonly inventsPerCall?: number;
  /** `false`: without metrics, which it reports at the end otherwise. Only of one that sends by the mesh. */
  readonly hasMetrics?: boolean;
  /** With an exporter of telemetry that can be made to hang or throw. */
  readonly hasTelemetry?: boolean;
}

/** What a client can be told. */
export type ClientOrder =
  | { readonly type: "start" }
  /** Stop sending, wait for what is under way, report. */
  | { readonly type: "stop" }
  | { readonly type: "explain" }
  | { readonly type: "measure" }
  /** So many calls at once, whose bodies nobody reads for `holdMs`. */
  | { readonly type: "unread"; readonly count: number; readonly holdMs: number }
  | { readonly type: "telemetry"; readonly fault: "hangs" | "throws" | undefined };
