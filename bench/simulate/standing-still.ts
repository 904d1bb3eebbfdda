// Servers that stand still at times, as in a garbage collection.
import type { ServerMoment, SimulatedServer } from "../../src/testing/index.ts";
import { atMost } from "../report.ts";
import type { Case } from "./case.ts";

const servers = 8;
const clients = 4;
const everyMs = 5_000;
const pauseMs = 300;
const durationMs = 60_000;
const slowMs = 100;

/** Requests of one run that took longer than `slowMs`: sent into a pause, or at a server already when it began. */
interface SlowRequests {
  sentIntoPause: number;
  atItsBeginning: number;
}

const slow: SlowRequests[] = Array.from({ length: servers }, () => ({ sentIntoPause: 0, atItsBeginning: 0 }));

/** A server that pauses at its own moment: what is in flight then waits as what arrives meanwhile. */
function serverAt(index: number): SimulatedServer {
  const latencyMs = ({ nowMs, before, random }: ServerMoment): number => {
    const counts = slow[index] as SlowRequests;
    // A run begins with the first request.
    if (before === 0) Object.assign(counts, { sentIntoPause: 0, atItsBeginning: 0 });
    const phase = (nowMs + (index * everyMs) / servers) % everyMs;
    const workMs = -10 * Math.log(1 - random());
    const left = Math.max(0, pauseMs - phase);
    const isCaught = left === 0 && phase + workMs > everyMs;
    if (left + workMs > slowMs) counts.sentIntoPause++;
    if (isCaught) counts.atItsBeginning++;
    return left + workMs + (isCaught ? pauseMs : 0);
  };
  return { name: `s${index + 1}`, workers: 50, answers: { latencyMs } };
}

const sum = (read: (counts: SlowRequests) => number): number => slow.reduce((total, counts) => total + read(counts), 0);

/** Eight servers of which each pauses at its own moment. Played when asked for. */
export const standingStillCases: readonly Case[] = [
  {
    name: "standing-still/8_servers",
    about: `each of ${servers} servers stands still for ${pauseMs} ms every ${everyMs / 1_000} s, 600 requests per second from ${clients} clients`,
    scenario: {
      servers: Array.from({ length: servers }, (_, index) => serverAt(index)),
      arrivals: { ratePerSecond: 600 },
      durationMs,
      clients,
    },
    options: {},
    isLarge: true,
    extra: () => ({
      "sent into a pause, slow": sum(({ sentIntoPause }) => sentIntoPause),
      "in flight when one began": sum(({ atItsBeginning }) => atItsBeginning),
    }),
    bounds: (figures) => {
      const [adaptive, prequal] = [figures.get("adaptive"), figures.get("prequal")];
      if (adaptive === undefined) return [];
      // A client cannot know of a pause before its first request hangs.
      const unavoidable = (clients * servers * durationMs) / everyMs;
      const count = adaptive.extra["sent into a pause, slow"] ?? Number.POSITIVE_INFINITY;
      const found = [atMost(`adaptive: requests sent into a pause that took more than ${slowMs} ms`, count, 1.5 * unavoidable)];
      return prequal === undefined ? found : [...found, atMost("adaptive: p99 × prequal's", adaptive.p99Ms / prequal.p99Ms, 1.5)];
    },
  },
];
