import type { RegistryReading, ServiceRow } from "../snapshot.ts";

/** The state of the registry, as the services tell of their discovery. */
export function registryState(services: readonly Pick<ServiceRow, "discoveryError" | "discoveryAgeMs">[]): RegistryReading {
  const errors = services.flatMap(({ discoveryError }) => (discoveryError === null ? [] : [discoveryError]));
  const hasAnswered = services.some(({ discoveryAgeMs }) => discoveryAgeMs !== null);
  return {
    state: errors.length > 0 ? "failing" : hasAnswered ? "ok" : "unknown",
    failing: errors.length,
    error: errors[0] ?? null,
  };
}
