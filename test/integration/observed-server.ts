import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import * as grpc from "@grpc/grpc-js";
import type { Registrar } from "../../src/extend.ts";
import type { Mesh } from "../../src/index.ts";
import { serve } from "../../src/server/server.ts";

const host = "127.0.0.1";

/** A registry that forgets what it was given each second, and is given it again. */
const forgetful: Registrar = {
  name: "forgetful registry",
  async register(_instance, _signal, owner) {
    const timer = setInterval(() => owner?.onReport({ type: "forgotten", error: new Error("it did not know it any more") }), 1_000);
    const end = async (): Promise<void> => clearInterval(timer);
    return { id: "front-1", status: "up", setStatus: async () => {}, deregister: end, [Symbol.asyncDispose]: end };
  },
};

/** The server of an observed application: it is called, decides on the calls, refuses some of them, and loses its registration; others beside it cut requests off. */
export async function observedServer(mesh: Mesh): Promise<AsyncDisposable> {
  const server = await listening();
  const quiet = { signals: [], log: false } as const;
  const serving = serve(server, {
    ...quiet,
    mesh,
    lameDuckMs: 0,
    register: { service: "front", host, registrar: forgetful },
    inbound: { rateLimit: { perSecond: 5, burst: 1 }, authorization: { policy: { rules: [{ id: "all", action: "allow" }] } } },
  });
  await serving.started;
  const rpc = await rpcCalls(mesh);
  const calls = setInterval(
    () =>
      void fetch(urlOf(server)).then(
        (response) => response.text(),
        () => {},
      ),
    50,
  );
  const cuts = setInterval(() => void cutOne(), 1_000);
  const cutOne = async (): Promise<void> => {
    const short = await listening();
    const stopped = serve(short, { ...quiet, mesh, lameDuckMs: 0, graceMs: 50 });
    await stopped.started;
    const hanging = fetch(`${urlOf(short)}/hang`).catch(() => {});
    await once(short, "request");
    await stopped.stop();
    await hanging;
  };
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(calls);
      clearInterval(cuts);
      await rpc[Symbol.asyncDispose]();
      await serving.stop();
    },
  };
}

/** A server of gRPC that is called again and again. */
async function rpcCalls(mesh: Mesh): Promise<AsyncDisposable> {
  const server = new grpc.Server();
  const bytes = (given: Buffer): Buffer => given;
  const whole = { requestStream: false, responseStream: false } as const;
  const serialize = { requestSerialize: bytes, requestDeserialize: bytes, responseSerialize: bytes, responseDeserialize: bytes };
  server.addService(
    { Get: { path: "/shop.v1.Orders/Get", ...whole, ...serialize } },
    {
      Get: (_call: unknown, done: grpc.sendUnaryData<Buffer>) => done(null, Buffer.alloc(0)),
    },
  );
  const port = await new Promise<number>((resolve) =>
    server.bindAsync(`${host}:0`, grpc.ServerCredentials.createInsecure(), (_error, bound) => resolve(bound)),
  );
  const serving = serve(server, { signals: [], log: false, mesh, lameDuckMs: 0, inbound: {} });
  const client = new grpc.Client(`${host}:${port}`, grpc.credentials.createInsecure());
  const timer = setInterval(() => client.makeUnaryRequest("/shop.v1.Orders/Get", bytes, bytes, Buffer.alloc(0), () => {}), 100);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      client.close();
      await serving.stop();
    },
  };
}

async function listening(): Promise<Server> {
  const server = createServer(({ url }, response) => void (url === "/hang" || response.end("ok")));
  await once(server.listen(0, host), "listening");
  return server;
}

function urlOf(server: Server): string {
  return `http://${host}:${(server.address() as AddressInfo).port}`;
}
