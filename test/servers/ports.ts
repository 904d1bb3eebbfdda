import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";

// Below the range from which systems take ports for outgoing connections: nobody takes a port while its server restarts.
const firstPort = 15_000;
const lastPort = 32_000;
const given = new Set<number>();

const isFree = async (host: string, port: number): Promise<boolean> => {
  const tcp = createServer();
  const udp = createSocket("udp4");
  try {
    tcp.listen(port, host);
    await once(tcp, "listening");
    udp.bind({ port, address: host, exclusive: true });
    await once(udp, "listening");
    return true;
  } catch {
    return false;
  } finally {
    tcp.close();
    udp.close();
  }
};

/** Finds `count` ports that nobody listens on at `host`, neither by TCP nor by UDP, and that this process never got before. */
export const freePorts = async (count: number, host = "127.0.0.1"): Promise<readonly number[]> => {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = firstPort + Math.floor(Math.random() * (lastPort - firstPort));
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(host, port)) ports.push(port);
  }
  return ports;
};

const maxTries = 3;

/** Starts something on free ports, and on others when somebody else was quicker to take one of them. */
export const startOnFreePorts = async <T>(count: number, host: string, start: (ports: readonly number[]) => Promise<T>): Promise<T> => {
  for (let tries = 1; ; tries++) {
    try {
      return await start(await freePorts(count, host));
    } catch (error) {
      if (tries === maxTries || !(error instanceof Error) || !/address in use|already in use/i.test(error.message)) {
        throw error;
      }
    }
  }
};
