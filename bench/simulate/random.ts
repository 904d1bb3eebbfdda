// Scenarios that nobody has seen while shaping a picker: drawn from a seed, so that constants cannot be fitted to a list.
import type { Random } from "../../src/extend.ts";
import {
  type Latency,
  type ServerAnswer,
  type ServerErrors,
  type ServerPhase,
  type SimulatedServer,
  seededRandom,
} from "../../src/testing/index.ts";
import type { Case } from "./case.ts";

const durationMs = 60_000;

/** Draws from a seeded source. */
class Dice {
  readonly random: Random;

  constructor(random: Random) {
    this.random = random;
  }

  between(from: number, to: number): number {
    return from + (to - from) * this.random();
  }

  /** As often from 2 to 4 as from 20 to 40. */
  scale(from: number, to: number): number {
    return Math.exp(this.between(Math.log(from), Math.log(to)));
  }

  whole(from: number, to: number): number {
    return Math.floor(this.between(from, to + 1));
  }

  one<Value>(values: readonly Value[]): Value {
    return values[Math.floor(this.random() * values.length)] as Value;
  }

  happens(chance: number): boolean {
    return this.random() < chance;
  }
}

/** How the work of one request varies: a factor on a server's own latency, 1 on average. */
type Spread = (factor: number) => Latency;

const spreads: readonly { readonly name: string; readonly of: (meanMs: number) => Spread }[] = [
  { name: "fixed", of: (meanMs) => (factor) => meanMs * factor },
  { name: "even", of: (meanMs) => (factor) => [0.5 * meanMs * factor, 1.5 * meanMs * factor] },
  { name: "exponential", of: (meanMs) => (factor) => ({ exponentialMs: 0.8 * meanMs * factor, leastMs: 0.2 * meanMs * factor }) },
  {
    name: "long tail",
    // One in twenty takes ten times as long.
    of: (meanMs) => (factor) => (moment) => ((moment.random() < 0.05 ? 10 : 1) * meanMs * factor) / 1.45,
  },
];

/** What happens to a few servers for some time. */
interface Incident {
  readonly name: string;
  readonly during: (latency: Spread, factor: number, paths: readonly string[]) => ServerAnswer & Pick<ServerPhase, "paths">;
}

function incidentOf(dice: Dice): Incident {
  const part = dice.happens(0.5) ? 1 : dice.between(0.1, 0.9);
  const percent = `${Math.round(100 * part)} %`;
  const status = dice.one([500, 503, 503, 429, 502]);
  const refusal = dice.one([400, 401, 404]);
  const slower = dice.scale(3, 20);
  return dice.one<Incident>([
    {
      name: `${percent} fast ${status}`,
      during: (latency, factor) => ({ latencyMs: latency(factor), errors: { ratio: part, status, latencyMs: 1 } }),
    },
    {
      name: `${percent} slow ${status}`,
      during: (latency, factor) => ({ latencyMs: latency(factor), errors: { ratio: part, status, latencyMs: latency(factor * slower) } }),
    },
    {
      name: `${percent} fast ${refusal}`,
      during: (latency, factor) => ({ latencyMs: latency(factor), errors: { ratio: part, status: refusal, latencyMs: 2 } }),
    },
    { name: "down", during: () => ({ fault: "refuse" }) },
    { name: "unreachable", during: () => ({ fault: "unreachable" }) },
    { name: `${percent} hang`, during: (latency, factor) => ({ latencyMs: latency(factor), errors: { ratio: part, fault: "hang" } }) },
    { name: `${percent} reset`, during: (latency, factor) => ({ latencyMs: latency(factor), errors: { ratio: part, fault: "reset" } }) },
    { name: `${slower.toFixed(1)} × slower`, during: (latency, factor) => ({ latencyMs: latency(factor * slower) }) },
    {
      name: `one route fails with ${status}`,
      during: (latency, factor, paths) => ({
        latencyMs: latency(factor),
        paths: { [paths.at(-1) as string]: { latencyMs: latency(factor), errors: { ratio: part, status } } },
      }),
    },
  ]);
}

interface Node {
  readonly factor: number;
  phases: ServerPhase[];
  listedFromMs: number;
}

/** The refusal of so large a part of the requests. */
function refusalsOf(ratio: number): ServerErrors {
  return { ratio, status: 404, latencyMs: 2 };
}

/** The same answer, but for the requests that callers do wrong; a server that answers nothing, or always with an error, does not come to refuse them. */
function withRefusals(answer: ServerAnswer, ratio: number): ServerAnswer {
  const { errors, fault } = answer;
  const own = errors as ServerErrors | undefined;
  if (ratio === 0 || fault !== undefined || own?.ratio === 1) return answer;
  return { ...answer, errors: own === undefined ? refusalsOf(ratio) : [refusalsOf(ratio), own] };
}

/** The random scenario `index` of a seed. */
function randomCase(seed: number, index: number): Case {
  const dice = new Dice(seededRandom(seed * 1_000_003 + index * 7_919));
  const notes: string[] = [];
  const size = Math.round(dice.scale(2, 50));
  const rate = dice.scale(40, 300);
  const clients = dice.one([1, 1, 3, 10, 30]);
  const utilisation = dice.between(0.2, 0.85);
  const hasQueue = dice.happens(0.6);
  const workers = dice.one([1, 2, 4, 8]);
  const factors = Array.from({ length: size }, () => 1);
  if (dice.happens(0.5)) {
    const slower = dice.scale(1.3, 5);
    const slow = dice.whole(1, Math.max(1, Math.floor(size / 2)));
    for (let node = 0; node < slow; node++) factors[node] = slower;
    notes.push(`${slow} servers ${slower.toFixed(1)} × slower`);
  }
  // As much as the servers can do at that utilisation: fast servers do more of it.
  const capacity = factors.reduce((sum, factor) => sum + 1 / factor, 0) * workers;
  const meanMs = hasQueue ? Math.min(1_000, (utilisation * capacity * 1_000) / rate) : dice.scale(5, 300);
  const spread = dice.one(spreads);
  const latency = spread.of(meanMs);
  const paths = ["/a", "/b", "/c"].slice(0, dice.one([1, 1, 2, 3]));
  // What the callers do wrong themselves, on all servers alike.
  const refusals = dice.happens(0.3) ? dice.between(0.01, 0.1) : 0;
  const usual = (factor: number): ServerAnswer => ({
    latencyMs: latency(factor),
    ...(refusals > 0 && { errors: refusalsOf(refusals) }),
  });
  // They do so during an incident, too: a picker must not be better off with servers that do not notice it.
  const duringIncident = ({ paths: others, ...answer }: ServerAnswer & Pick<ServerPhase, "paths">) => ({
    ...withRefusals(answer, refusals),
    ...(others && { paths: Object.fromEntries(Object.entries(others).map(([path, other]) => [path, withRefusals(other, refusals)])) }),
  });
  const nodes = factors.map((factor): Node => ({ factor, phases: [usual(factor)], listedFromMs: 0 }));
  const untouched = nodes.map((_, node) => node).sort(() => dice.random() - 0.5);
  for (let incident = dice.whole(0, 3); incident > 0 && untouched.length > 1; incident--) {
    const { name, during } = incidentOf(dice);
    const count = Math.min(untouched.length - 1, dice.whole(1, Math.ceil(size / 4)));
    const fromMs = dice.between(5_000, 30_000);
    const untilMs = dice.happens(0.7) ? fromMs + dice.between(5_000, 25_000) : durationMs;
    for (const at of untouched.splice(0, count)) {
      const node = nodes[at] as Node;
      node.phases = [
        usual(node.factor),
        { ...duringIncident(during(latency, node.factor, paths)), fromMs },
        ...(untilMs < durationMs ? [{ ...usual(node.factor), fromMs: untilMs }] : []),
      ];
    }
    notes.push(`${count} ${name} ${(fromMs / 1_000).toFixed(0)}–${(untilMs / 1_000).toFixed(0)} s`);
  }
  if (dice.happens(0.25) && untouched.length > 1) {
    const node = nodes[untouched[0] as number] as Node;
    const warmUpMs = dice.between(5_000, 20_000);
    const joinsMs = dice.between(5_000, 25_000);
    node.listedFromMs = joinsMs;
    const steps = 10;
    node.phases = Array.from({ length: steps + 1 }, (_, step) => ({
      ...usual(node.factor * (1 + 6 * (1 - step / steps))),
      fromMs: step === 0 ? 0 : joinsMs + (warmUpMs * step) / steps,
    }));
    notes.push(`1 joins cold at ${(joinsMs / 1_000).toFixed(0)} s`);
  }
  const isBare = dice.happens(0.5);
  const servers = nodes.map(
    ({ phases, listedFromMs }): SimulatedServer => ({ answers: phases, listedFromMs, ...(hasQueue && { workers, queue: 200 }) }),
  );
  const load = hasQueue ? `${workers} workers each, ${Math.round(100 * utilisation)} % busy` : "no queue";
  return {
    name: `random-${seed}/${index + 1}`,
    about: `${size} servers, ${clients} clients, ${rate.toFixed(0)}/s, ${meanMs.toFixed(0)} ms ${spread.name}, ${load}, ${
      isBare ? "neither retries nor breakers" : "defaults"
    }${notes.length > 0 ? `; ${notes.join("; ")}` : ""}`,
    scenario: {
      servers,
      arrivals: { ratePerSecond: rate },
      durationMs,
      clients,
      chance: "request",
      requests: paths.map((path) => ({ path, keys: 1_000 })),
    },
    options: isBare ? { retry: false, breaker: false } : {},
  };
}

/** So many scenarios of a seed. */
export function randomCases(seed: number, count: number): readonly Case[] {
  return Array.from({ length: count }, (_, index) => randomCase(seed, index));
}
