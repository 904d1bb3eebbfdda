import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
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
