import { join } from "node:path";
import { requireServer } from "./available.ts";
import { requestJson } from "./json-request.ts";
import { freePorts, startOnFreePorts } from "./ports.ts";
import { type ServerProcess, startProcess } from "./process.ts";

/** One of toxiproxy's toxics: `latency` { latency, jitter }, `bandwidth` { rate }, `timeout` { timeout }, `reset_peer`, `limit_data`, … */
export interface Toxic {
  readonly type: "latency" | "bandwidth" | "timeout" | "reset_peer" | "limit_data" | "slicer" | "slow_close";
  /** `downstream`, towards the client, unless told otherwise. */
  readonly stream?: "upstream" | "downstream";
  readonly attributes?: Readonly<Record<string, number>>;
}

/** A TCP proxy in front of one address. */
export interface ToxicLink {
  readonly host: string;
  readonly port: number;
  /** Puts a toxic on the link; bytes under way are affected too. */
  poison(toxic: Toxic): Promise<void>;
  /** Takes every toxic off. */
  heal(): Promise<void>;
}

/** A real toxiproxy, on loopback alone. */
export interface ToxiproxyServer extends ServerProcess {
  /** Opens a link on a free port to `host:port`. */
  link(upstream: string): Promise<ToxicLink>;
}

const host = "127.0.0.1";

/** Starts toxiproxy on a free port and resolves when it answers. */
export const startToxiproxy = async (): Promise<ToxiproxyServer> => {
  const program = join(requireServer("toxiproxy"), "toxiproxy");
  return startOnFreePorts(1, host, async ([port = 0]) => {
    const url = `http://${host}:${port}`;
    const server = await startProcess({
      name: "toxiproxy",
      prepare: () => ({ file: program, args: ["-host", host, "-port", String(port)], env: { LOG_LEVEL: "error" } }),
      async probe(signal) {
        await requestJson(`${url}/version`, { signal });
      },
    });
    let links = 0;
    return Object.assign(server, {
      async link(upstream: string): Promise<ToxicLink> {
        const [listenPort = 0] = await freePorts(1, host);
        const name = `link-${++links}`;
        await requestJson(`${url}/proxies`, { method: "POST", body: { name, listen: `${host}:${listenPort}`, upstream, enabled: true } });
        const toxics: string[] = [];
        return {
          host,
          port: listenPort,
          async poison({ type, stream = "downstream", attributes = {} }) {
            const toxic = `${type}-${stream}`;
            await requestJson(`${url}/proxies/${name}/toxics`, { method: "POST", body: { name: toxic, type, stream, attributes } });
            toxics.push(toxic);
          },
          async heal() {
            for (const toxic of toxics.splice(0)) await requestJson(`${url}/proxies/${name}/toxics/${toxic}`, { method: "DELETE" });
          },
        };
      },
    });
  });
};
