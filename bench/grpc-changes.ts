import { setTimeout as pause } from "node:timers/promises";
import * as grpc from "@grpc/grpc-js";
import type { Discovery } from "../src/extend.ts";
import { clientOptions } from "../src/grpc/grpc.ts";
import { createMesh, type Endpoint } from "../src/index.ts";

const same = (bytes: Buffer): Buffer => bytes;
const whole = { requestStream: false, responseStream: false } as const;
const asIs = { requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same };
const path = "/bench.Names/Get";

/** Starts a server whose answer is its name. Resolves with its port. */
async function named(server: grpc.Server, name: string): Promise<number> {
  server.addService(
    { Get: { path, ...whole, ...asIs } },
    { Get: (_call: unknown, done: grpc.sendUnaryData<Buffer>) => done(null, Buffer.from(name)) },
  );
  return new Promise((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => (error ? reject(error) : resolve(port))),
  );
}

/** A source that pushes. */
class Pushed implements Discovery {
  readonly name = "pushed";
  #waiting = Promise.withResolvers<readonly Endpoint[]>();

  push(list: readonly Endpoint[]): void {
    this.#waiting.resolve(list);
  }

  async *watch(): AsyncGenerator<readonly Endpoint[]> {
    for (;;) {
      const list = await this.#waiting.promise;
      this.#waiting = Promise.withResolvers();
      yield list;
    }
  }
}

/** Milliseconds from each answer of a source that pushes to the answer of the first call that it sends elsewhere, in order. */
export async function changeDelays(count: number): Promise<readonly number[]> {
  const names = ["a", "b"];
  const endpoints: Endpoint[] = [];
  const servers = names.map(() => new grpc.Server());
  for (const [index, server] of servers.entries()) {
    const name = names[index] as string;
    endpoints.push({ id: name, host: "127.0.0.1", port: await named(server, name) });
  }
  const discovery = new Pushed();
  const mesh = createMesh({ discovery });
  const client = new grpc.Client("inmesh:///names", grpc.credentials.createInsecure(), clientOptions(mesh));
  const call = (): Promise<string> =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(path, same, same, Buffer.alloc(0), (error, answer) =>
        error === null ? resolve(String(answer)) : reject(error),
      );
    });
  discovery.push([endpoints[0] as Endpoint]);
  await call();
  const delays: number[] = [];
  for (let index = 1; index <= count; index++) {
    const wanted = index % 2;
    const start = performance.now();
    discovery.push([endpoints[wanted] as Endpoint]);
    while ((await call()) !== names[wanted]);
    delays.push(performance.now() - start);
    await pause(5);
  }
  client.close();
  await mesh.close();
  for (const server of servers) server.forceShutdown();
  return delays.sort((one, other) => one - other);
}
