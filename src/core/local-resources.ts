const codes: ReadonlySet<unknown> = new Set(["EMFILE", "ENFILE", "EADDRNOTAVAIL", "ENOBUFS", "ENOMEM"]);

/** Whether an error means that this process, or its machine, has run out of file descriptors, ports or memory for a connection. */
export function isLocalResourceError(error: unknown): boolean {
  return codes.has((error as { code?: unknown } | null | undefined)?.code);
}
