// node examples/grpc.ts: a generated client of @grpc/grpc-js whose calls go through a mesh, to two instances of which one is in trouble.
import * as grpc from "@grpc/grpc-js";
import { createMesh, staticDiscovery } from "inmesh";
import { callOptions, grpcDetails, meshClient } from "inmesh/grpc";

// In the place of generated code: a service with two methods, whose messages are text.
const text = {
  requestStream: false,
  responseStream: false,
  requestSerialize: (value: string) => Buffer.from(value),
  requestDeserialize: (bytes: Buffer) => bytes.toString(),
  responseSerialize: (value: string) => Buffer.from(value),
  responseDeserialize: (bytes: Buffer) => bytes.toString(),
};
const carts = {
  Read: { path: "/shop.Carts/Read", options: { idempotency_level: "NO_SIDE_EFFECTS" }, ...text },
  Add: { path: "/shop.Carts/Add", ...text },
};
type Told = (error: grpc.ServiceError | null, answer: string) => void;
type CartsClient = grpc.Client & {
  Read(request: string, told: Told): void;
  Add(request: string, options: grpc.CallOptions, told: Told): void;
};
const Carts = grpc.makeGenericClientConstructor(carts, "Carts") as unknown as {
  new (address: string, credentials: grpc.ChannelCredentials, options?: object): CartsClient;
  service: grpc.ServiceDefinition;
};

async function start(isWell: boolean) {
  const server = new grpc.Server();
  const answer: grpc.handleUnaryCall<string, string> = ({ request }, told) =>
    isWell ? told(null, `cart of ${request}`) : told({ code: grpc.status.UNAVAILABLE, details: "no database" });
  server.addService(carts, { Read: answer, Add: answer });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))),
  );
  return { server, port };
}

const instances = [await start(true), await start(false)];
const mesh = createMesh({
  discovery: staticDiscovery({ carts: instances.map(({ port }) => ({ host: "127.0.0.1", port })) }),
});
const client = meshClient(mesh, Carts, "carts");

// Reading may be done twice, as the definition says: the instance in trouble is not seen.
for (const user of ["Ada", "Bob", "Eve"])
  console.log(await new Promise((resolve, reject) => client.Read(user, (error, answer) => (error ? reject(error) : resolve(answer)))));

// Adding may not, so an error is an error; it tells what is known.
const add = (options: grpc.CallOptions) =>
  new Promise<string>((resolve) =>
    client.Add("Ada", options, (error, answer) => {
      const { service, maybeExecuted } = grpcDetails(error) ?? {};
      resolve(error ? `${error.details}, of "${service}", executed: ${maybeExecuted ? "perhaps" : "certainly not"}` : answer);
    }),
  );
console.log(new Set(await Promise.all([add({}), add({}), add({})])).has('no database, of "carts", executed: perhaps'));

// Unless the caller knows that it may.
console.log(await add(callOptions({ idempotent: true }, { deadline: Date.now() + 2_000 })));

client.close();
await mesh.close();
for (const { server } of instances) server.forceShutdown();
