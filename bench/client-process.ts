// A process with one client: node client-process.ts NAME PORT... Answers with the CPU of a call in microseconds.
import { answerParent, cpuMicros } from "./children.ts";
import { type BenchClient, clients } from "./clients.ts";

/** A number of calls, 32 at a time. */
export interface Run {
  readonly method: keyof BenchClient;
  readonly calls: number;
}

const concurrency = 32;
/** Calls before each measurement. They open the connections again that were idle for too long. */
export const unmeasuredCalls = 300;

/** Makes `calls` calls, 32 at a time. */
export async function drive(call: () => Promise<unknown>, calls: number): Promise<void> {
  let left = calls;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await call();
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}

if (import.meta.main) {
  const [name = "", ...ports] = process.argv.slice(2);
  const create = clients[name];
  if (create === undefined) throw new Error(`no client is called ${JSON.stringify(name)}`);
  const client = await create(ports.map(Number));
  answerParent<Run, number>(0, async ({ method, calls }) => {
    await drive(client[method], unmeasuredCalls);
    return (await cpuMicros(() => drive(client[method], calls))) / calls;
  });
}
