import type { Steps } from "../../../src/core/json/json-scanner.ts";

/** The result of work in steps, taken without a pause. */
export function resultOf<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}
