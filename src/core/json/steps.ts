/** Work in steps, between which the event loop may go on. */
export type Steps<T = void> = Generator<void, T, undefined>;

/** The result of work in steps, taken at once. */
export function resultOf<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}
