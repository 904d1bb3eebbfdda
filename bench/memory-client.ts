// A process, with --expose-gc: node memory-client.ts NAME PORT CONNECTIONS. Has calls in flight and answers with the memory that they hold.
import { answerParent } from "./children.ts";

/** The memory that the calls in flight hold, in bytes. */
export interface MemorySample {
  readonly [field: string]: number;
  /** On the JavaScript heap and in buffers outside it. */
  readonly heap: number;
  readonly rss: number;
}

const patienceMs = 600_000;

const calls: Readonly<Record<string, (port: number, connections: number) => Promise<() => Promise<unknown>>>> = {
  async "mesh.fetch"(port, connections) {
    const { createMesh, staticDiscovery } = await import("../src/index.ts");
    const mesh = createMesh({
      discovery: staticDiscovery({ held: [{ host: "127.0.0.1", port }] }),
      connections: { max: connections, connectTimeoutMs: 60_000 },
      timeoutMs: patienceMs,
      attemptTimeoutMs: patienceMs,
    });
    return () => mesh.fetch("held/x");
  },
  async "undici.request"(port, connections) {
    const { Pool } = await import("undici");
    const pool = new Pool(`http://127.0.0.1:${port}`, {
      connections,
      pipelining: 1,
      connect: { timeout: 60_000 },
      headersTimeout: patienceMs,
      bodyTimeout: 30_000,
    });
    return () => pool.request({ path: "/x", method: "GET" });
  },
};

function usage(): MemorySample {
  // Twice: the second collection frees what the first one finalizes.
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, rss };
}

if (import.meta.main) {
  const [name = "", port, connections] = process.argv.slice(2);
  const create = calls[name];
  if (create === undefined) throw new Error(`no client is called ${JSON.stringify(name)}`);
  const call = await create(Number(port), Number(connections));
  const inFlight: Promise<unknown>[] = [];
  let before = usage();
  answerParent<"measure" | number, MemorySample>({ heap: 0, rss: 0 }, async (question) => {
    if (question === "measure") {
      const { heap, rss } = usage();
      return { heap: heap - before.heap, rss: rss - before.rss };
    }
    if (inFlight.length === 0) before = usage();
    for (let index = 0; index < question; index++) {
      const answer = call();
      // It fails when the process ends, and is not awaited.
      answer.catch(() => {});
      inFlight.push(answer);
    }
    return { heap: 0, rss: 0 };
  });
}
