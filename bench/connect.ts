import { createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { Prices } from "../examples/connect/prices_pb.ts";
import { meshTransport, type TransportProtocol } from "../src/connect/connect.ts";
import { createMesh, staticDiscovery } from "../src/index.ts";
import { cpuMicros, startChild } from "./children.ts";
import { measuredVersion } from "./measured-node.ts";
import { atMost, type BenchReport } from "./report.ts";
import { measureRounds } from "./rounds.ts";

const callsPerTurn = 2_000;
const atATime = 16;

/** Measures the CPU of a client for one call with one message, through `inmesh/connect` and through the transports of `@connectrpc/connect-node`. */
export async function connect(rounds = 9): Promise<BenchReport> {
  await using server = await startChild<never, number>("connect-server.ts");
  const port = server.ready;
  const baseUrl = `http://127.0.0.1:${port}`;
  const mesh = createMesh({
    discovery: staticDiscovery({ prices: [{ host: "127.0.0.1", port }] }),
    services: { prices: { protocol: "h2" } },
  });
  const through = (protocol: TransportProtocol) => () => microsPerCall(meshTransport(mesh, "prices", { protocol }));
  const node = { grpc: createGrpcTransport({ baseUrl }), connect: createConnectTransport({ baseUrl, httpVersion: "2" }) };
  try {
    const measured = await measureRounds("connect", rounds, {
      "connect-node, gRPC": () => microsPerCall(node.grpc),
      "inmesh/connect, gRPC": through("grpc"),
      "connect-node, Connect": () => microsPerCall(node.connect),
      "inmesh/connect, Connect": through("connect"),
    });
    const names = ["connect-node, gRPC", "inmesh/connect, gRPC", "connect-node, Connect", "inmesh/connect, Connect"];
    const grpc = measured.ratio("inmesh/connect, gRPC", "connect-node, gRPC");
    const own = measured.ratio("inmesh/connect, Connect", "connect-node, Connect");
    return {
      bench: "connect",
      about: `CPU of a client for one call with one message, ${atATime} at a time, over HTTP/2 without TLS; the server is another process`,
      node: measuredVersion(),
      rounds,
      columns: ["transport", "µs of CPU, median of the rounds", "fastest round", "× connect-node"],
      rows: names.map((name) => [
        name,
        measured.median(name),
        Math.min(...measured.values(name)),
        measured.ratio(name, name.endsWith("gRPC") ? "connect-node, gRPC" : "connect-node, Connect"),
      ]),
      bounds: [atMost("× connect-node, gRPC", grpc, 0.8), atMost("× connect-node, Connect", own, 0.8)],
      ratios: { "mesh transport × connect-node, gRPC": grpc, "mesh transport × connect-node, Connect": own },
    };
  } finally {
    await mesh.close();
  }
}

async function microsPerCall(transport: Transport): Promise<number> {
  const client = createClient(Prices, transport);
  let left = callsPerTurn;
  const caller = async (): Promise<void> => {
    while (left-- > 0) await client.get({ item: "tea" });
  };
  return (await cpuMicros(() => Promise.all(Array.from({ length: atATime }, caller)))) / callsPerTurn;
}
