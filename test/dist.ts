import { inject } from "vitest";

/** To be called before anything imports the built package: throws what the build had against it. */
export function requireDist(): void {
  const errors = inject("buildErrors");
  if (errors !== "") throw new Error(`dist could not be built:\n${errors}`);
}
