import { startChild } from "./children.ts";
import { type InboundCase, inboundCases } from "./inbound-process.ts";
import { measuredVersion } from "./measured-node.ts";
import { atMost, type BenchReport } from "./report.ts";
import { measureRounds } from "./rounds.ts";

const requestsPerTurn = 40_000;
const names = Object.keys(inboundCases) as readonly InboundCase[];
const base = "no part on" satisfies InboundCase;

/** Measures what `inbound` adds to a request to a Fastify hello-world, part by part. */
export async function inbound(rounds = 9): Promise<BenchReport> {
  const cases: Record<string, () => Promise<number>> = {};
  for (const name of names) {
    cases[name] = async () => {
      // A process of its own each time: how the engine lays out code differs from process to process by more than a part costs.
      await using child = await startChild<number, number>("inbound-process.ts", [name]);
      await child.ask(requestsPerTurn);
      return await child.ask(requestsPerTurn);
    };
  }
  const measured = await measureRounds("inbound", rounds, cases);
  // The least of all rounds: what adds to a request is small, and what else runs on the machine only makes it slower.
  const least = (name: InboundCase): number => Math.min(...measured.values(name));
  const more = (name: InboundCase, than: InboundCase): number => least(name) - least(than);
  return {
    bench: "inbound",
    about:
      "CPU of a server per request, connections in memory: a Fastify hello-world, served, with each part of inbound alone and with all of them. Every part is compared with inbound without any, all of them with a server that is served without inbound",
    node: measuredVersion(),
    rounds,
    columns: ["case", "µs CPU per request", "µs more than bare Fastify", "µs more than no part on"],
    rows: names.map((name) => [name, least(name), more(name, "bare Fastify"), more(name, base)]),
    bounds: [
      atMost("µs that everything adds to a served server", more("everything", "with serve"), 2),
      atMost("µs that everything and inmesh/prometheus add", more("everything and inmesh/prometheus", "with serve"), 3.5),
      atMost(
        "µs that SDK metrics cost beside the SDK's own calls",
        more("SDK metrics", base) - more("SDK metrics, own calls", "bare Fastify"),
        1.5,
      ),
      atMost(
        "µs that SDK traces cost beside the SDK's own calls",
        more("SDK traces", base) - more("SDK traces, own calls", "bare Fastify"),
        1.5,
      ),
    ],
    ratios: {
      "mesh: everything × with serve": least("everything") / least("with serve"),
      "mesh: everything and inmesh/prometheus × with serve": least("everything and inmesh/prometheus") / least("with serve"),
    },
  };
}
