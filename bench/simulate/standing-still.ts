// Servers that stand still at times, as in a garbage collection.
import { atMost } from "../report.ts";
import type { Case } from "./case.ts";

const servers = 8;
const everyMs = 5_000;
const pauseMs = 300;

/** Eight servers of which each pauses at its own moment. Played when asked for. */
export const standingStillCases: readonly Case[] = [
  {
    name: "standing-still/8_servers",
    about: `each of ${servers} servers stands still for ${pauseMs} ms every ${everyMs / 1_000} s, 600 requests per second from 4 clients`,
    scenario: {
      servers: Array.from({ length: servers }, (_, index) => ({
        name: `s${index + 1}`,
        workers: 50,
        answers: {
          latencyMs: ({ nowMs, random }) => {
            const phase = (nowMs + (index * everyMs) / servers) % everyMs;
            return Math.max(0, pauseMs - phase) - 10 * Math.log(1 - random());
          },
        },
      })),
      arrivals: { ratePerSecond: 600 },
      durationMs: 60_000,
      clients: 4,
    },
    options: {},
    isLarge: true,
    bounds: (figures) => {
      const [adaptive, prequal] = [figures.get("adaptive"), figures.get("prequal")];
      if (adaptive === undefined || prequal === undefined) return [];
      return [atMost("adaptive: p99 × prequal's", adaptive.p99Ms / prequal.p99Ms, 1.5)];
    },
  },
];
