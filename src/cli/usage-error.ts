/** The command line is wrong: the message is shown with a hint at the help, and the command has done nothing. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
