import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMesh } from "../../index.ts";
import { fromNginx, importNginx } from "../../nginx/nginx.ts";
import { differencesAt, type ParityDifference, type ParityResult } from "./differences.ts";
import { EchoInstances } from "./echo-instances.ts";
import { freePorts } from "./free-ports.ts";
import { localFile } from "./nginx-text.ts";
import { type Probe, probesFor } from "./probes.ts";
import { RealServer } from "./real-server.ts";

/** How files are compared. */
export interface CompareOptions {
  readonly program: string;
  /** How often each request is sent, for the turns of instances. */
  readonly times: number;
  /** Requests in place of those that are made up. */
  readonly probes: readonly Probe[];
  readonly unsupported: "refuse" | "answer-501";
  readonly signal: AbortSignal;
}

/** Runs a file on a real nginx and on inmesh with the same instances, sends both the same requests, and compares what instances and callers see. */
export async function compareNginx(file: string, options: CompareOptions): Promise<ParityResult> {
  const directory = await mkdtemp(join(tmpdir(), "inmesh-parity-"));
  await using instances = new EchoInstances();
  try {
    const [text, port] = await prepared(file, instances, options);
    const local = join(directory, "local.conf");
    await writeFile(local, text);
    const how = { clients: "served", unsupported: options.unsupported } as const;
    const { listeners } = await importNginx(local, how);
    await writeFile(join(directory, "nginx.conf"), text);
    const args = ["-p", `${directory}/`, "-e", "stderr", "-c", "nginx.conf"];
    await using _nginx = await RealServer.start({ program: options.program, args, port }, options.signal);
    const all: ParityDifference[] = [];
    let requests = 0;
    for (const listener of listeners) {
      const probes = options.probes.length > 0 ? options.probes : probesFor(listener);
      const mesh = createMesh({
        ...(await fromNginx(local, { ...how, listen: listener.address, onNotice: () => undefined })),
        observers: [],
      });
      try {
        requests += probes.length;
        all.push(...(await differencesAt(listener.port, probes, mesh, instances, options)));
      } finally {
        await mesh.close();
      }
    }
    return { requests, differences: all };
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** The file with ports of this machine, and the first port that it listens on. */
async function prepared(
  file: string,
  instances: EchoInstances,
  { signal }: CompareOptions,
): Promise<readonly [text: string, port: number]> {
  const servers = new Set<string>();
  const listens = new Set<string>();
  const collect = (into: Set<string>) => (address: string) => {
    into.add(address);
    return 9;
  };
  await localFile(file, { listen: collect(listens), server: collect(servers) });
  signal.throwIfAborted();
  await instances.start([...servers]);
  const free = await freePorts(Math.max(1, listens.size));
  const ports = new Map([...listens].map((address, index) => [address, free[index] as number]));
  const text = await localFile(file, { listen: (address) => ports.get(address) ?? 9, server: (address) => instances.portOf(address) });
  return [text, free[0] as number];
}
