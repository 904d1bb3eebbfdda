import type { InstanceStatus } from "../../../src/registration/registrar.ts";
import type { ConsulOptions } from "../../../src/registries/consul.ts";
import type { EurekaOptions } from "../../../src/registries/eureka.ts";

/** How an instance answers. */
export interface Behaviour {
  /** 3 unless told otherwise. */
  readonly delayMs?: number;
  /** This share of the requests takes `slowMs`. */
  readonly slowShare?: number;
  readonly slowMs?: number;
  /** Shares of the requests that are answered otherwise. */
  readonly answers?: readonly { readonly share: number; readonly status: number; readonly headers?: Readonly<Record<string, string>> }[];
}

/** Where an instance registers itself. */
export type RegistrationConfig = {
  readonly ttlMs?: number;
  /** It serves before it is registered. */
  readonly mayWait?: boolean;
} & ({ readonly kind: "consul"; readonly options: ConsulOptions } | { readonly kind: "eureka"; readonly options: EurekaOptions });

/** How an instance leaves without losing a request, when it gets SIGTERM. */
export interface ServeConfig {
  readonly framework: "node" | "fastify" | "express";
  /** What the registry needs unless told otherwise. */
  readonly lameDuckMs?: number;
}

/**
 * What an instance does upon SIGTERM that ends without `inmesh/server`: closes its server; leaves the registry before; waits between the two for so many
 * milliseconds.
 */
export type HandmadeEnd = { readonly deregisters: boolean; readonly waitMs: number };

/** The certificate of an instance, and the authorities of its callers; PEM. */
export interface InstanceTls {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  /** A request on a connection whose client certificate began earlier is answered with 403. */
  readonly maxClientAgeMs?: number;
}

/** What an instance is started with. */
export interface InstanceConfig {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** The file to write down in what it executes. */
  readonly journal: string;
  readonly seed: number;
  readonly protocol?: "h1" | "h2c";
  /** Serves over TLS, to callers with a certificate. */
  readonly tls?: InstanceTls;
  readonly keepAliveMs?: number;
  readonly behaviour?: Behaviour;
  readonly registration?: RegistrationConfig;
  /** Serves by `inmesh/server`, which registers it too. */
  readonly serve?: ServeConfig;
  readonly end?: HandmadeEnd;
}

/** What an instance can be told while it runs. */
export type InstanceOrder =
  | { readonly type: "behave"; readonly behaviour: Behaviour }
  | { readonly type: "goaway" }
  | { readonly type: "tls"; readonly tls: InstanceTls }
  | { readonly type: "trust"; readonly ca: string }
  | { readonly type: "status"; readonly status: InstanceStatus };
