import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** A request as an instance saw it. */
export interface SeenRequest {
  readonly probe: string;
  /** The address in the file that the instance stands for. */
  readonly instance: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Instances that answer 200 and tell what they have seen, one for each address that is asked for. */
export class EchoInstances implements AsyncDisposable {
  readonly seen: SeenRequest[] = [];
  readonly #servers = new Map<string, Server>();
  readonly #ports = new Map<string, number>();

  /** Starts an instance for each address. */
  async start(addresses: readonly string[]): Promise<void> {
    for (const address of addresses) {
      if (this.#servers.has(address)) continue;
      const server = createServer((request, response) => {
        request.resume();
        const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, [value].flat().join(", ")]));
        this.seen.push({
          probe: headers["x-parity-probe"] ?? "",
          instance: address,
          method: request.method ?? "",
          path: request.url ?? "",
          headers,
        });
        response.setHeader("x-parity-instance", address.replace(/[^\x20-\x7e]/g, "?"));
        response.end("ok");
      });
      await once(server.listen(0, "127.0.0.1"), "listening");
      this.#servers.set(address, server);
      this.#ports.set(address, (server.address() as AddressInfo).port);
    }
  }

  /** The port of the instance for an address. */
  portOf(address: string): number {
    return this.#ports.get(address) ?? 9;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers.values()) {
      server.close();
      server.closeAllConnections();
    }
  }
}
