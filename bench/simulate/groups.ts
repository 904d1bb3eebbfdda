import type { SimulationResult } from "../../src/testing/index.ts";

/**
 * Several runs with different clients of the same servers as one. Loads are added up; times are the mean of the runs, which differ in
 * nothing but chance.
 */
export function merged(runs: readonly SimulationResult[]): SimulationResult {
  const [first] = runs;
  if (first === undefined || runs.length === 1) return first as SimulationResult;
  const sum = (read: (run: SimulationResult) => number) => runs.reduce((total, run) => total + read(run), 0);
  const mean = (read: (run: SimulationResult) => number) => sum(read) / runs.length;
  const [requests, successes] = [sum((run) => run.requests), sum((run) => run.successes)];
  const servers = first.servers.map((server, index) => {
    const all = runs.map((run) => run.servers[index] as typeof server);
    const total = (read: (each: typeof server) => number) => all.reduce((count, each) => count + read(each), 0);
    return { ...server, requests: total((each) => each.requests), connections: total((each) => each.connections) };
  });
  const attempts = servers.reduce((count, server) => count + server.requests, 0);
  return {
    ...first,
    requests,
    successes,
    successRatio: successes / requests,
    meanMs: mean((run) => run.meanMs),
    p50Ms: mean((run) => run.p50Ms),
    p99Ms: mean((run) => run.p99Ms),
    p999Ms: mean((run) => run.p999Ms),
    attemptsPerRequest: mean((run) => run.attemptsPerRequest),
    servers: servers.map((server) => ({ ...server, share: server.requests / attempts })),
    imbalance: (Math.max(...servers.map((server) => server.requests)) * servers.length) / attempts,
    timeline: first.timeline.map((part, index) => ({
      ...part,
      attempts: part.attempts.map((_, server) => sum((run) => run.timeline[index]?.attempts[server] ?? 0)),
    })),
  };
}
