// A client of gRPC: `round_robin` of @grpc/grpc-js, or a mesh below the same client. Answers each question with the CPU of so many calls.
import * as grpc from "@grpc/grpc-js";
import { answerParent, cpuMicros } from "./children.ts";
import { type GrpcCase, unmeasuredCalls } from "./grpc-cases.ts";

const [name, ...ports] = process.argv.slice(2) as [GrpcCase, ...string[]];
const atATime = 16;
const message = Buffer.alloc(100, 1);
const same = (bytes: Buffer): Buffer => bytes;

async function clientOf(): Promise<grpc.Client> {
  const credentials = grpc.credentials.createInsecure();
  if (name === "grpc-js round_robin") {
    const config = JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] });
    return new grpc.Client(`ipv4:${ports.map((port) => `127.0.0.1:${port}`).join(",")}`, credentials, { "grpc.service_config": config });
  }
  const { createMesh, staticDiscovery } = await import("../src/index.ts");
  const { clientOptions } = await import("../src/grpc/grpc.ts");
  const discovery = staticDiscovery({ echo: ports.map((port) => ({ host: "127.0.0.1", port: Number(port) })) });
  return new grpc.Client("inmesh:///echo", credentials, clientOptions(createMesh({ discovery })));
}

const client = await clientOf();

function call(): Promise<void> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest("/bench.Echo/Echo", same, same, message, (error) => (error === null ? resolve() : reject(error)));
  });
}

async function calls(count: number): Promise<void> {
  let left = count;
  const worker = async () => {
    while (left-- > 0) await call();
  };
  await Promise.all(Array.from({ length: atATime }, worker));
}

answerParent<{ readonly count: number }, number>(0, async ({ count }) => {
  await calls(unmeasuredCalls);
  return (await cpuMicros(() => calls(count))) / count;
});
