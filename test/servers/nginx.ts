import { readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { certificate } from "../support/certificate.ts";
import { requireServer } from "./available.ts";
import { bindEnvironment } from "./bind-files.ts";
import { startOnFreePorts } from "./ports.ts";
import { type ServerProcess, startProcess } from "./process.ts";

/** A real nginx as a reverse proxy. */
export interface NginxServer extends ServerProcess {
  /** The base of what is proxied, `http://host:port`. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
}

/** Where a proxy sends what it gets. */
export interface ProxyEndpoint {
  readonly host: string;
  readonly port: number;
}

const host = "127.0.0.1";
const template = join(import.meta.dirname, "nginx", "nginx.conf.template");

/**
 * Starts nginx on a free port of 127.0.0.1, in one process, in front of `endpoints`: round robin, connections kept alive,
 * up to three tries, an endpoint out for 10 s after five failures.
 */
export const startNginx = async (endpoints: readonly ProxyEndpoint[]): Promise<NginxServer> => {
  const root = requireServer("nginx");
  const env = await bindEnvironment(root);
  const lines = endpoints.map((endpoint) => `    server ${endpoint.host}:${endpoint.port} max_fails=5 fail_timeout=10s;`);
  return startOnFreePorts(1, host, async ([port = 0]) => {
    const url = `http://${host}:${port}`;
    const server = await startProcess({
      name: "nginx",
      async prepare(directory) {
        const text = (await readFile(template, "utf8")).replaceAll("@PORT@", String(port)).replace("@ENDPOINTS@", lines.join("\n"));
        await writeFile(join(directory, "nginx.conf"), text);
        const args = ["-p", `${directory}/`, "-e", "stderr", "-c", "nginx.conf"];
        return { file: join(root, "usr", "sbin", "nginx"), args, env };
      },
      async probe(signal) {
        // Any answer will do, also that nobody is behind it.
        await (await fetch(url, { signal })).bytes();
      },
    });
    return Object.assign(server, { url, host, port });
  });
};

/** Starts nginx with a file of its own for a free port of 127.0.0.1. Files that it names are in its directory, by their names. */
export const startNginxFile = async (
  fileFor: (port: number) => string,
  files: Readonly<Record<string, string>> = {},
): Promise<NginxServer> => {
  const root = requireServer("nginx");
  const env = await bindEnvironment(root);
  return startOnFreePorts(1, host, async ([port = 0]) => {
    const server = await startProcess({
      name: "nginx",
      async prepare(directory) {
        await writeFile(join(directory, "nginx.conf"), fileFor(port));
        for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
        const args = ["-p", `${directory}/`, "-e", "stderr", "-c", "nginx.conf"];
        return { file: join(root, "usr", "sbin", "nginx"), args, env };
      },
      probe: (signal) => connectsTo(port, signal),
    });
    return Object.assign(server, { url: `http://${host}:${port}`, host, port });
  });
};

/** A real server that speaks HTTP/2 to its clients, in clear text and by TLS with the certificate of the tests. */
export interface Http2Front extends ServerProcess {
  readonly port: number;
  readonly tlsPort: number;
}

/**
 * Starts nginx in front of an instance that speaks HTTP/2 in clear text. It ends each connection after 25 requests, takes 64 KiB of a body, and
 * answers `/empty` and `/wrong` with a 204 that has a length, the second another than 0.
 */
export const startHttp2Nginx = async (endpoint: ProxyEndpoint): Promise<Http2Front> => {
  const root = requireServer("nginx");
  const env = await bindEnvironment(root);
  return startOnFreePorts(2, host, async ([port = 0, tlsPort = 0]) => {
    const server = await startProcess({
      name: "nginx",
      async prepare(directory) {
        const text = (await readFile(join(import.meta.dirname, "nginx", "http2.conf.template"), "utf8"))
          .replaceAll("@PORT@", String(port))
          .replaceAll("@TLS_PORT@", String(tlsPort))
          .replaceAll("@ENDPOINT@", `${endpoint.host}:${endpoint.port}`);
        await writeFile(join(directory, "nginx.conf"), text);
        await writeFile(join(directory, "certificate.pem"), certificate.cert);
        await writeFile(join(directory, "key.pem"), certificate.key);
        const args = ["-p", `${directory}/`, "-e", "stderr", "-c", "nginx.conf"];
        return { file: join(root, "usr", "sbin", "nginx"), args, env };
      },
      probe: (signal) => connectsTo(port, signal),
    });
    return Object.assign(server, { port, tlsPort });
  });
};

/** Resolves when there is a listener at the port. */
export const connectsTo = (port: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.destroy();
      resolve();
    });
  });
