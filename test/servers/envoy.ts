import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { certificate } from "../support/certificate.ts";
import { requireServer } from "./available.ts";
import { envoyBootstrap, http2Bootstrap } from "./envoy-bootstrap.ts";
import { connectsTo, type Http2Front, type ProxyEndpoint } from "./nginx.ts";
import { startOnFreePorts } from "./ports.ts";
import { type ServerProcess, startProcess } from "./process.ts";

/** A real Envoy as a sidecar. */
export interface EnvoyServer extends ServerProcess {
  /** The base of what is proxied, `http://host:port`. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** The base of the administration interface: `/stats`, `/clusters`, … */
  readonly adminUrl: string;
}

const host = "127.0.0.1";

/**
 * Starts Envoy on free ports of 127.0.0.1, with one worker thread, in front of `endpoints`: round robin, connections kept
 * alive, up to three tries within a retry budget, an endpoint ejected after five failures in a row.
 */
export const startEnvoy = async (endpoints: readonly ProxyEndpoint[]): Promise<EnvoyServer> => {
  const program = join(requireServer("envoy"), "envoy");
  return startOnFreePorts(2, host, async ([port = 0, adminPort = 0]) => {
    const url = `http://${host}:${port}`;
    const adminUrl = `http://${host}:${adminPort}`;
    const server = await startProcess({
      name: "envoy",
      async prepare(directory) {
        await writeFile(join(directory, "envoy.json"), JSON.stringify(envoyBootstrap(host, port, adminPort, endpoints)));
        return { file: program, args: ["-c", "envoy.json", "--concurrency", "1", "-l", "error", "--disable-hot-restart"] };
      },
      async probe(signal) {
        const ready = await fetch(`${adminUrl}/ready`, { signal });
        if ((await ready.text()).trim() !== "LIVE") throw new Error(`not ready: ${ready.status}`);
        // Any answer will do, also that nobody is behind it.
        await (await fetch(url, { signal })).bytes();
      },
    });
    return Object.assign(server, { url, host, port, adminUrl });
  });
};

/** Starts Envoy by a file, which is made for the free port that its listener has; with `--concurrency 1`. */
export const startEnvoyFile = async (fileOf: (port: number) => string): Promise<ServerProcess & { readonly port: number }> => {
  const program = join(requireServer("envoy"), "envoy");
  return startOnFreePorts(1, host, async ([port = 0]) => {
    const server = await startProcess({
      name: "envoy",
      async prepare(directory) {
        await writeFile(join(directory, "envoy.yaml"), fileOf(port));
        return { file: program, args: ["-c", "envoy.yaml", "--concurrency", "1", "-l", "error", "--disable-hot-restart"] };
      },
      probe: (signal) => connectsTo(port, signal),
    });
    return Object.assign(server, { port });
  });
};

/** Starts Envoy in front of an instance that speaks HTTP/2 in clear text. It ends each connection after 25 requests, and takes 64 KiB of a body. */
export const startHttp2Envoy = async (endpoint: ProxyEndpoint): Promise<Http2Front> => {
  const program = join(requireServer("envoy"), "envoy");
  return startOnFreePorts(3, host, async ([port = 0, tlsPort = 0, adminPort = 0]) => {
    const server = await startProcess({
      name: "envoy",
      async prepare(directory) {
        await writeFile(join(directory, "envoy.json"), JSON.stringify(http2Bootstrap(host, { port, tlsPort, adminPort }, endpoint)));
        await writeFile(join(directory, "certificate.pem"), certificate.cert);
        await writeFile(join(directory, "key.pem"), certificate.key);
        return { file: program, args: ["-c", "envoy.json", "--concurrency", "1", "-l", "error", "--disable-hot-restart"] };
      },
      probe: (signal) => connectsTo(port, signal),
    });
    return Object.assign(server, { port, tlsPort });
  });
};
