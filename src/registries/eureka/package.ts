import { load } from "./eureka-package.cjs";

/** A call as the package describes it; `uri` is relative to the server's `/apps/`. */
export interface PackageRequest {
  readonly method?: string;
  readonly uri: string;
  readonly body?: unknown;
}

/** The callback by which the package is given an answer. */
export type PackageCallback = (error: unknown, response?: { readonly statusCode: number }, body?: string) => void;

/** The part of `eureka-js-client` that is used. Its own types lack `eurekaRequest`. */
export interface PackageClient {
  eurekaRequest(request: PackageRequest, callback: PackageCallback): void;
  fetchRegistry(callback?: (error?: unknown) => void): void;
  register(callback?: (error?: unknown) => void): void;
  renew(): void;
  deregister(callback?: (error?: unknown) => void): void;
}

/** The package's class, which takes its configuration. */
export type PackageClass = new (config: Readonly<Record<string, unknown>>) => PackageClient;

/**
 * Loads `eureka-js-client`, an optional peer that takes 190 ms and 39 MiB, so that its cost is paid only where it is used. Throws an Error
 * that says what to install.
 */
export function loadPackage(loader: () => unknown = load): PackageClass {
  let loaded: unknown;
  try {
    loaded = loader();
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== "MODULE_NOT_FOUND") throw cause;
    throw new Error("inmesh/eureka needs the package eureka-js-client: npm install eureka-js-client", { cause });
  }
  const { Eureka } = loaded as { readonly Eureka?: PackageClass };
  if (typeof Eureka !== "function") {
    throw new Error("the installed eureka-js-client has no class Eureka: npm install eureka-js-client@4");
  }
  return Eureka;
}
