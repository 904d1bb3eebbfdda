import { startChild } from "./children.ts";
import { type GrpcCase, grpcCases } from "./grpc-cases.ts";
import { changeDelays } from "./grpc-changes.ts";
import { measuredVersion } from "./measured-node.ts";
import { atMost, type BenchReport } from "./report.ts";
import { measureRounds, type Sample } from "./rounds.ts";

const changes = 200;
const callsPerTurn = 12_000;
const theirs: GrpcCase = "grpc-js round_robin";

/** Measures the CPU of a unary call of gRPC: through a mesh, and by grpc-js with its own balancing. */
export async function grpcCost(rounds = 9): Promise<BenchReport> {
  await using stack = new AsyncDisposableStack();
  const ports: string[] = [];
  for (let index = 0; index < 3; index++) ports.push(String(stack.use(await startChild<never, number>("grpc-server.ts")).ready));
  const cases: Record<string, () => Promise<Sample>> = {};
  for (const name of grpcCases) {
    const child = stack.use(await startChild<{ readonly count: number }, number>("grpc-process.ts", [name, ...ports]));
    cases[name] = () => child.ask({ count: callsPerTurn });
  }
  const measured = await measureRounds("grpc", rounds, cases);
  const delays = await changeDelays(changes);
  const late = delays[Math.floor(changes * 0.99)] as number;
  return {
    bench: "grpc",
    about:
      "CPU of a client of @grpc/grpc-js per unary call with 100 bytes each way on loopback, 16 at a time, to three instances; inmesh/grpc with retries, breakers, deadlines and its default picker",
    node: measuredVersion(),
    rounds,
    columns: ["client", "µs CPU per call", `× ${theirs}`],
    rows: grpcCases.map((name) => [name, measured.median(name), measured.ratio(name, theirs)]),
    bounds: [
      ...grpcCases.filter((name) => name !== theirs).map((name) => atMost(`${name} × ${theirs}`, measured.ratio(name, theirs), 1.1)),
      atMost("ms from the answer of a source that pushes to the first call at another instance, 99 % of the changes", late, 100),
    ],
    ratios: Object.fromEntries(
      grpcCases.filter((name) => name !== theirs).map((name) => [`${name} × ${theirs}`, measured.ratio(name, theirs)]),
    ),
  };
}
