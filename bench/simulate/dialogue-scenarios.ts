// The scenarios of palantir/dialogue's simulation, written anew from their definitions (SimulationTest.java, Apache License 2.0).
import type { Scenario, ServerAnswer, ServerMoment, ServerPhase } from "../../src/testing/index.ts";

/** One of dialogue's scenarios. */
export interface Definition {
  readonly about: string;
  readonly servers: Readonly<Record<string, readonly ServerPhase[]>>;
  readonly ratePerSecond: Scenario["arrivals"]["ratePerSecond"];
  readonly sendMs: number;
  /** When the simulation ends whatever is still open. */
  readonly untilMs: number;
  /** 10 where nothing is said. */
  readonly clients?: number;
  readonly requests?: Scenario["requests"];
  readonly listedFromMs?: Readonly<Record<string, number>>;
  /** Good answers take longer than the default time limits. */
  readonly isSlow?: boolean;
}

const second = 1_000;
const minute = 60_000;

/** A time that doubles up to `capacity` requests in flight and is five times as long beyond. */
function rising(bestMs: number, capacity: number): ServerAnswer {
  return { latencyMs: ({ inFlight }) => (inFlight > capacity ? 5 * bestMs : bestMs + (bestMs * inFlight) / capacity) };
}

/** 200 up to so many requests in flight. */
function upTo(capacity: number, status: number): ServerAnswer {
  return { status: ({ inFlight }: ServerMoment) => (inFlight > capacity ? status : 200) };
}

const always = (answer: ServerAnswer): readonly ServerPhase[] => [answer];
/** `usual`, but for the time between two moments. */
const meanwhile = (usual: ServerAnswer, fromMs: number, untilMs: number, other: ServerAnswer): readonly ServerPhase[] => [
  usual,
  { ...other, fromMs },
  { ...usual, fromMs: untilMs },
];

/** All of them by the name that dialogue gives them. */
export const definitions: Readonly<Record<string, Definition>> = {
  simplest_possible_case: {
    about: "three servers of 600, 800 and 1000 ms",
    servers: { fast: always({ latencyMs: 600 }), medium: always({ latencyMs: 800 }), slightly_slow: always({ latencyMs: 1_000 }) },
    ratePerSecond: 11,
    sendMs: 20 * minute,
    untilMs: 60 * minute,
  },
  slowdown_and_error_thresholds: {
    about: "three servers far beyond what they can do: slower from 30 requests on, 500 from 40 on",
    isSlow: true,
    servers: {
      fast: always({ ...rising(600, 30), ...upTo(40, 500) }),
      medium: always({ ...rising(800, 30), ...upTo(40, 500) }),
      slightly_slow: always({ ...rising(1_000, 30), ...upTo(40, 500) }),
    },
    ratePerSecond: 500,
    sendMs: 20 * second,
    untilMs: 10 * minute,
    requests: [{ method: "GET" }],
  },
  slow_503s_then_revert: {
    about: "one of two servers answers 503 after a second, from 3 s to 10 s",
    servers: {
      fast: always(rising(60, 60)),
      slow_failures_then_revert: meanwhile(rising(60, 60), 3 * second, 10 * second, { ...rising(1_000, 60), status: 503 }),
    },
    ratePerSecond: 200,
    sendMs: 15 * second,
    untilMs: 10 * minute,
  },
  fast_503s_then_revert: {
    about: "one of two servers answers 503 at once, from 3 s to 60 s",
    servers: {
      normal: always({ latencyMs: 120 }),
      fast_503s_then_revert: meanwhile({ latencyMs: 120 }, 3 * second, minute, { latencyMs: 0.00001, status: 503 }),
    },
    ratePerSecond: 500,
    sendMs: 90 * second,
    untilMs: 10 * minute,
  },
  fast_400s_then_revert: {
    about: "one of two servers answers 400 six times as fast, from 3 s to 30 s",
    servers: {
      normal: always({ latencyMs: 120 }),
      fast_400s_then_revert: meanwhile({ latencyMs: 120 }, 3 * second, 30 * second, { latencyMs: 20, status: 400 }),
    },
    ratePerSecond: 100,
    sendMs: minute,
    untilMs: 10 * minute,
  },
  short_outage_on_one_node: {
    about: "one of two servers of 2 s answers 500 at once, from 30 s to 50 s",
    isSlow: true,
    servers: {
      stable: always({ latencyMs: 2_000 }),
      has_short_outage: meanwhile({ latencyMs: 2_000 }, 30 * second, 50 * second, { latencyMs: 0.00001, status: 500 }),
    },
    ratePerSecond: 20,
    sendMs: 80 * second,
    untilMs: 3 * minute,
    clients: 1,
  },
  drastic_slowdown: {
    about: "one of two servers takes 10 s instead of 60 ms, from 3 s to 10 s",
    servers: {
      fast: always(rising(60, 60)),
      fast_then_slow_then_fast: meanwhile(rising(60, 60), 3 * second, 10 * second, rising(10_000, 60)),
    },
    ratePerSecond: 200,
    sendMs: 20 * second,
    untilMs: 10 * minute,
  },
  all_nodes_500: {
    about: "both servers answer 500 for the first 10 s",
    servers: {
      node1: meanwhile({ latencyMs: 600 }, 0, 10 * second, { latencyMs: 600, status: 500 }).slice(1),
      node2: meanwhile({ latencyMs: 600 }, 0, 10 * second, { latencyMs: 600, status: 500 }).slice(1),
    },
    ratePerSecond: 100,
    sendMs: 20 * second,
    untilMs: 10 * minute,
  },
  black_hole: {
    about: "one of two servers answers no more from 3 s on",
    servers: { node1: always({ latencyMs: 600 }), node2_black_hole: [{ latencyMs: 600 }, { fromMs: 3 * second, fault: "hang" }] },
    ratePerSecond: 200,
    sendMs: 10 * second,
    untilMs: 30 * second,
  },
  one_endpoint_dies_on_each_server: {
    about: "from 3 s on one server fails /e1 and the other /e2",
    servers: {
      server_where_e1_breaks: [
        { latencyMs: 600 },
        { fromMs: 3 * second, latencyMs: 600, paths: { "/e1": { latencyMs: 600, status: 500 } } },
      ],
      server_where_e2_breaks: [
        { latencyMs: 600 },
        { fromMs: 3 * second, latencyMs: 600, paths: { "/e2": { latencyMs: 600, status: 500 } } },
      ],
    },
    ratePerSecond: 250,
    sendMs: 10 * second,
    untilMs: 10 * minute,
    requests: [
      { method: "POST", path: "/e1" },
      { method: "POST", path: "/e2" },
    ],
  },
  live_reloading: {
    about: "of two servers one is always broken, a third comes at 5 s; all slow under load",
    isSlow: true,
    servers: {
      always_on: always(rising(600, 60)),
      always_broken: always({ ...rising(600, 60), status: 500 }),
      added_halfway: always(rising(600, 60)),
    },
    ratePerSecond: 250,
    sendMs: 10 * second,
    untilMs: 10 * minute,
    listedFromMs: { added_halfway: 5 * second },
  },
  uncommon_flakes: {
    about: "two fast servers that fail one request in a hundred",
    servers: {
      fast0: always({ latencyMs: 0.001, errors: { ratio: 0.01 } }),
      fast1: always({ latencyMs: 0.001, errors: { ratio: 0.01 } }),
    },
    ratePerSecond: 1_000,
    sendMs: 10 * second,
    untilMs: 10.001 * second,
  },
  one_big_spike: {
    about: "1000 requests in 33 ms for two servers that answer 429 from 100 in flight on",
    servers: { node1: always({ latencyMs: 150, ...upTo(100, 429) }), node2: always({ latencyMs: 150, ...upTo(100, 429) }) },
    ratePerSecond: 30_000,
    sendMs: 33.33,
    untilMs: 10 * second,
    clients: 1,
  },
  server_side_rate_limits_with_sticky_clients_steady_vs_bursty_client: {
    about: "10,000 requests in half a millisecond and then one per second for a server of 5 ms that takes one at a time, 429 to the others",
    servers: { node0: always({ latencyMs: 5, ...upTo(1, 429) }) },
    ratePerSecond: [
      { fromMs: 0, ratePerSecond: 20_000_000 },
      { fromMs: 0.5, ratePerSecond: 1 },
    ],
    sendMs: minute,
    untilMs: 2 * minute,
    clients: 1,
  },
  server_side_rate_limits_with_sticky_clients_fairness_across_multiple_clients: {
    about: "ten clients want more than twice of what a server of 150 ms does that takes two at a time, 429 to the others",
    servers: { node0: always({ latencyMs: 150, ...upTo(2, 429) }) },
    ratePerSecond: 30,
    sendMs: minute,
    untilMs: 2 * minute,
  },
};
