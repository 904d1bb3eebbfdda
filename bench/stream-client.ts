// A process: node stream-client.ts NAME PORT. Reads a body chunk by chunk and answers with the time and the memory that it took.
import { answerParent } from "./children.ts";

/** The cost of reading one body. */
export interface StreamSample {
  readonly [field: string]: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** The growth of the resident set while reading, at its highest, in MiB. */
  readonly growthMiB: number;
}

/**
 * Length of a body that is read before the measurement. It loads and compiles the code, and lets the heap grow as in any process that reads from
 * a socket: Node reads into buffers of 64 KiB, and V8 collects dead ones once there are 50 to 100 MiB of them.
 */
export const warmUpBytes = 268_435_456;

type Bytes = AsyncIterable<Uint8Array>;

const bodies: Readonly<Record<string, (port: number) => Promise<(bytes: number) => Promise<Bytes>>>> = {
  async "mesh.fetch"(port) {
    const { createMesh, staticDiscovery } = await import("../src/index.ts");
    const mesh = createMesh({ discovery: staticDiscovery({ files: [{ host: "127.0.0.1", port }] }), timeoutMs: 600_000 });
    return async (bytes) => (await mesh.fetch(`files/${bytes}`)).body as unknown as Bytes;
  },
  async "undici.request"(port) {
    const { request } = await import("undici");
    return async (bytes) => (await request(`http://127.0.0.1:${port}/${bytes}`)).body;
  },
  async "Node's fetch"(port) {
    return async (bytes) => (await fetch(`http://127.0.0.1:${port}/${bytes}`)).body as unknown as Bytes;
  },
};

async function read(body: Bytes, expected: number): Promise<void> {
  let received = 0;
  for await (const chunk of body) received += chunk.byteLength;
  if (received !== expected) throw new Error(`${received} bytes instead of ${expected}`);
}

if (import.meta.main) {
  const [name = "", port] = process.argv.slice(2);
  const create = bodies[name];
  if (create === undefined) throw new Error(`no client is called ${JSON.stringify(name)}`);
  const open = await create(Number(port));
  const measure = async (bytes: number): Promise<StreamSample> => {
    const before = process.memoryUsage.rss();
    let highest = before;
    const sampler = setInterval(() => {
      highest = Math.max(highest, process.memoryUsage.rss());
    }, 5);
    const cpu = process.cpuUsage();
    const startedAt = performance.now();
    await read(await open(bytes), bytes);
    const seconds = (performance.now() - startedAt) / 1000;
    const used = process.cpuUsage(cpu);
    clearInterval(sampler);
    highest = Math.max(highest, process.memoryUsage.rss());
    return { seconds, cpuSeconds: (used.user + used.system) / 1e6, growthMiB: (highest - before) / 1_048_576 };
  };
  answerParent<number, StreamSample>(await measure(warmUpBytes), measure);
}
