const codes: ReadonlySet<unknown> = new Set(["EMFILE", "ENFILE", "EADDRNOTAVAIL", "ENOBUFS", "ENOMEM"]);

/** Whether an error means that this process, or its machine, has run out of file descriptors, ports or memory for a connection. */
export function isLocalResourceError(error: unknown): boolean {
  return codes.has((error as { code?: unknown } | null | undefined)?.code);
}

/** Whether the fault of a failed connection is this process's own: it has run out of something, or has no identity. It says nothing about an instance. */
export function isOwnFault(error: unknown): boolean {
  return isLocalResourceError(error) || (error as { code?: unknown } | null | undefined)?.code === "ERR_MESH_IDENTITY";
}
