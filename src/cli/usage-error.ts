/** The command line was not understood: it is told with the way to the help, and nothing has been done. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
