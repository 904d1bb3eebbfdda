/** Exit codes of the command; docs/reference/cli.md has the same table. */
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

/** Meanings of the {@link exitCodes}. */
export const exitCodeMeanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  ok: "Success; for `fetch`, a status below 400.",
  failed: "The registry, the admin server or a file could not be read, a check failed, or two policies differ.",
  usage:
    "The command line is wrong: an unknown option, a missing argument, an invalid value; for `policy diff`, a policy that is wrong, or two that are too large to be compared.",
  nothing: "Discovery answered and lists no endpoint of the service.",
  clientError: "`fetch`: a status from 400 to 499.",
  serverError: "`fetch`: a status from 500 on.",
  notExecuted: "`fetch`: the call failed and was certainly not executed by an instance: it is safe to repeat.",
  maybeExecuted: "`fetch`: the call failed and may have been executed by an instance.",
  interrupted: "Ctrl-C.",
  terminated: "SIGTERM.",
};
