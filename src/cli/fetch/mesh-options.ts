import { type createMesh, ringHash } from "../../index.ts";
import type { Values } from "../option-table.ts";
import { readDuration } from "../option-values.ts";
import { readTls } from "../registry/tls-files.ts";
import type { fetchOptions } from "./fetch-options.ts";

/** The options of the mesh that makes the call. */
export async function meshOptions(values: Values<typeof fetchOptions>): Promise<Omit<Parameters<typeof createMesh>[0], "discovery">> {
  const timeoutMs = readDuration("timeout", values.timeout ?? "10s");
  const tls = await readTls({ ca: values["tls-ca"], cert: values["tls-cert"], key: values["tls-key"] });
  const serverName = values["tls-server-name"];
  return {
    timeoutMs,
    attemptTimeoutMs: Math.min(timeoutMs, readDuration("attempt-timeout", values["attempt-timeout"] ?? "2s")),
    // A new process knows no endpoint yet, and its user sees that it waits.
    discoveryTimeoutMs: Math.min(timeoutMs, 5_000),
    drainTimeoutMs: 0,
    tls: { ...tls, ...(serverName === undefined ? {} : { serverName }) },
    ...(values.zone === undefined ? {} : { zone: values.zone }),
    ...(values.protocol === undefined ? {} : { protocol: values.protocol }),
    ...(values["hash-key"] === undefined ? {} : { picker: ringHash() }),
  };
}
