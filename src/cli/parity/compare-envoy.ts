import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromEnvoy, importEnvoy } from "../../envoy/envoy.ts";
import { createMesh, type Route } from "../../index.ts";
import { differencesAt, type ParityResult } from "./differences.ts";
import { EchoInstances } from "./echo-instances.ts";
import { instancesIn, labelsOf, localEnvoyFile } from "./envoy-file.ts";
import { freePorts } from "./free-ports.ts";
import { type Probe, probesFor } from "./probes.ts";
import { RealServer } from "./real-server.ts";

/** How a file of Envoy is compared. */
export interface CompareEnvoyOptions {
  readonly program: string;
  /** The listener, where several serve HTTP. */
  readonly listener: string | undefined;
  /** How often each request is sent, for the turns of instances. */
  readonly times: number;
  /** Requests in place of those that are made up. */
  readonly probes: readonly Probe[];
  readonly signal: AbortSignal;
}

/** Runs a file on a real Envoy and on inmesh with the same instances, sends both the same requests, and compares what instances and callers see. */
export async function compareEnvoyFile(
  file: string,
  { program, listener, times, probes, signal }: CompareEnvoyOptions,
): Promise<ParityResult> {
  const chosen = listener === undefined ? {} : { listener };
  const { v3, data } = await importEnvoy(file, chosen);
  const directory = await mkdtemp(join(tmpdir(), "inmesh-parity-"));
  await using instances = new EchoInstances();
  try {
    await instances.start(instancesIn(v3));
    const [listen = 9] = await freePorts(1);
    const local = join(directory, "envoy.json");
    await writeFile(local, JSON.stringify(localEnvoyFile(v3, listener, { listen, portOf: (instance) => instances.portOf(instance) })));
    const args = ["-c", local, "--concurrency", "1", "-l", "error", "--disable-hot-restart", "--use-dynamic-base-id"];
    await using _envoy = await RealServer.start({ program, args, port: listen }, signal);
    const mesh = createMesh({ ...(await fromEnvoy(local, chosen)), observers: [] });
    try {
      const sent = probes.length > 0 ? probes : probesFor({ routes: (data["routes"] as readonly Route[] | undefined) ?? [] });
      return {
        requests: sent.length,
        differences: await differencesAt(listen, sent, mesh, instances, { times, signal, labelOf: labelsOf(v3) }),
      };
    } finally {
      await mesh.close();
    }
  } finally {
    await rm(directory, { recursive: true });
  }
}
