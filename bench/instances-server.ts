// A process: node instances-server.ts COUNT. So many HTTP instances, each of which can be made to fail.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { answerParent } from "./children.ts";

/** The behaviour of an instance: `slow` takes 50 times as long, `black hole` reads requests and never answers, `work` computes a little before it answers. */
export type Fault = "none" | "work" | "slow" | "500" | "503" | "reset" | "black hole";

/** A command to an instance. */
export interface Order {
  readonly instance: number;
  readonly fault: Fault;
}

const meanMs = 4;
const slowFactor = 50;
const workSteps = 20_000;

const behaviours: Readonly<Record<Fault, (incoming: IncomingMessage, outgoing: ServerResponse) => void>> = {
  none: (_incoming, outgoing) => answerAfter(meanMs, outgoing),
  work: (_incoming, outgoing) => {
    let sum = 0;
    for (let step = 0; step < workSteps; step++) sum += Math.sqrt(step);
    answerAfter(sum > 0 ? meanMs : 0, outgoing);
  },
  slow: (_incoming, outgoing) => answerAfter(meanMs * slowFactor, outgoing),
  "500": (_incoming, outgoing) => void outgoing.writeHead(500, { "content-length": 0 }).end(),
  "503": (_incoming, outgoing) => void outgoing.writeHead(503, { "content-length": 0 }).end(),
  reset: (incoming) => void incoming.socket.resetAndDestroy(),
  "black hole": () => {},
};

/** Varies by ± 25 %. The time is a timer's, so that other work of the machine matters little. */
function answerAfter(ms: number, outgoing: ServerResponse): void {
  setTimeout(() => outgoing.writeHead(200, { "content-length": 2 }).end("{}"), Math.round(ms * (0.75 + 0.5 * Math.random())));
}

async function startInstance(faults: Fault[], instance: number): Promise<number> {
  faults[instance] = "none";
  const server = createServer((incoming, outgoing) => behaviours[faults[instance] as Fault](incoming, outgoing));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

if (import.meta.main) {
  const faults: Fault[] = [];
  const ports = await Promise.all(Array.from({ length: Number(process.argv[2]) }, (_, instance) => startInstance(faults, instance)));
  answerParent<Order, readonly number[]>(ports, ({ instance, fault }) => {
    faults[instance] = fault;
    return ports;
  });
}
