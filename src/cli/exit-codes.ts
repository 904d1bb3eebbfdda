/** How the command ends; docs/reference/cli.md has the same table. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  nothing: 3,
  clientError: 4,
  serverError: 5,
  notExecuted: 6,
  maybeExecuted: 7,
  interrupted: 130,
  terminated: 143,
} as const;

/** What each of {@link exitCodes} says. */
export const exitCodeMeanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  ok: "Everything went well; of `fetch`: a status below 400.",
  failed: "The registry, the admin server or a file could not be read, or a check failed.",
  usage: "The command was not understood: an unknown option, a missing argument, a value that is none.",
  nothing: "Discovery answered, and lists no endpoint of the service.",
  clientError: "`fetch`: a status from 400 to 499.",
  serverError: "`fetch`: a status from 500 on.",
  notExecuted: "`fetch`: the call failed, and certainly no instance has executed it: it is safe to repeat.",
  maybeExecuted: "`fetch`: the call failed, and an instance may have executed it.",
  interrupted: "Ctrl-C.",
  terminated: "SIGTERM.",
};
