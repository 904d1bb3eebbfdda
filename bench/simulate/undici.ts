// The ten cases of undici's tests of BalancedPool (test/node-test/balanced-pool.js, MIT), written anew from their tables: a hundred
// requests one after another; a server refuses, or loses, the requests whose numbers (its own, from 0) are listed.
import type { SimulatedServer } from "../../src/testing/index.ts";
import type { Case } from "./case.ts";

interface Definition {
  /** By server: which of its requests are refused. */
  readonly refused?: Readonly<Record<string, readonly number[]>>;
  /** By server: which of its requests are lost after they were sent. */
  readonly lost?: Readonly<Record<string, readonly number[]>>;
  readonly servers?: string;
  /** What undici's test expects: requests that fail, and the share of each server, failures among them, in per cent. */
  readonly failures: number;
  readonly shares: readonly number[];
}

const definitions: readonly Definition[] = [
  { failures: 0, shares: [34, 33, 33] },
  { refused: { A: [0] }, failures: 1, shares: [32, 34, 34] },
  { refused: { B: [0] }, failures: 1, shares: [34, 32, 34] },
  { refused: { B: [0], C: [0] }, failures: 2, shares: [35, 33, 32] },
  { refused: { A: [0], B: [0], C: [0] }, failures: 3, shares: [34, 33, 33] },
  { refused: { A: [0, 1, 2], B: [0, 1, 2], C: [0, 1, 2] }, failures: 9, shares: [34, 33, 33] },
  { refused: { A: [0], B: [0, 1], C: [0] }, failures: 4, shares: [36, 29, 35] },
  { lost: { A: [1] }, failures: 1, shares: [32, 34, 34] },
  { servers: "ABCDE", failures: 0, shares: [20, 20, 20, 20, 20] },
  { refused: { A: [0, 1, 2, 3] }, failures: 4, shares: [18, 41, 41] },
];

function caseOf({ refused = {}, lost = {}, servers = "ABC", failures, shares }: Definition, index: number): Case {
  const told = (faults: Readonly<Record<string, readonly number[]>>, word: string) =>
    Object.entries(faults).map(([name, numbers]) => `${name} ${word} ${numbers.join(", ")}`);
  const about = [...told(refused, "refuses"), ...told(lost, "loses")].join("; ") || `${servers.length} servers that are well`;
  return {
    name: `undici/case_${index}`,
    about,
    scenario: {
      servers: [...servers].map(
        (name): SimulatedServer => ({
          name,
          answers: {
            latencyMs: 1,
            fault: ({ before }) => (refused[name]?.includes(before) ? "refuse" : lost[name]?.includes(before) ? "reset" : undefined),
          },
        }),
      ),
      // One after another: each has ended long before the next one.
      arrivals: { ratePerSecond: 100, spacing: "uniform" },
      durationMs: 1_000,
      requests: [{ keys: 1_000 }],
    },
    options: { retry: false, breaker: false },
    published: [
      {
        name: "undici BalancedPool",
        figures: {
          successPercent: 100 - failures,
          extra: Object.fromEntries([...servers].map((name, at) => [`${name} %`, shares[at] ?? 0])),
        },
      },
    ],
    extra: (result) => Object.fromEntries(result.servers.map(({ name, share }) => [`${name} %`, 100 * share])),
  };
}

/** undici's ten cases without retries, as its tests have them; the columns are the shares of the servers. */
export const undiciCases: readonly Case[] = definitions.map(caseOf);
