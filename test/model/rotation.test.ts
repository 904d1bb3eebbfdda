import fc from "fast-check";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { AttemptLedger } from "../../src/attempts/attempt-ledger.ts";
import { balance } from "../../src/attempts/balance.ts";
import { Balancer } from "../../src/balancer/balancer.ts";
import { roundRobin } from "../../src/balancer/pickers/round-robin.ts";
import type { CircuitPermit } from "../../src/circuit/circuit-permit.ts";
import type { Dispatch, MeshRequest } from "../../src/core/dispatch.ts";
import { MeshError } from "../../src/core/errors.ts";
import { interceptorOf } from "../../src/core/stages/stage.ts";
import type { Upstream } from "../../src/core/upstream.ts";
import { Rotation } from "../../src/rotation/rotation.ts";
import { testRequest } from "../../src/testing/request.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { impatient } from "../rotation/attempts.ts";
import { stateOf } from "../rotation/states.ts";
import { type Ending, endings } from "../support/endings.ts";
import { openResponse } from "../support/open-response.ts";
import { ModelCircuit, type ModelPermit, modelled } from "./rotation-model.ts";

beforeEach(() => {
  // For counting alone: opossum's own timers, which no clock moves.
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** How an attempt ends: what it says of its instance, and how long the instance asks to be left alone. */
const ways = ["ok", "500", "503", "503 asks", "429", "refused", "timeout", "aborted", "no descriptors", "cut off"] as const;
type Way = (typeof ways)[number];
const askedMs = 5_000;

function endingOf(way: Way): Ending {
  if (way === "refused") return { code: "ERR_MESH_CONNECT" };
  if (way === "timeout") return { code: "ERR_MESH_TIMEOUT" };
  if (way === "no descriptors") return { code: "ERR_MESH_LOCAL_RESOURCE" };
  if (way === "aborted") return { throws: new DOMException("stop", "AbortError") };
  const response = openResponse(
    way === "ok" || way === "cut off" ? 200 : Number.parseInt(way, 10),
    way.endsWith("asks") ? { "retry-after": "5" } : {},
  );
  if (way !== "cut off") response.body.close();
  return response;
}

interface Attempt {
  readonly upstream: Upstream;
  readonly circuit: ModelCircuit;
  readonly permit: ModelPermit;
  readonly end: (way: Way) => Promise<void>;
}

/** Both sides: the shipped balancer and breakers, put together as a service does, and the model of each instance. */
class Rig {
  readonly clock = virtualClock();
  readonly circuits = new Map<Upstream, ModelCircuit>();
  readonly open: Attempt[] = [];
  readonly #dispatch: Dispatch;
  readonly rotation: Rotation;
  readonly balancer: Balancer;
  #ending: Promise<Ending> = Promise.resolve(200);
  #started: { upstream: Upstream; permit: CircuitPermit | undefined } | undefined = undefined;

  constructor() {
    const { clock } = this;
    const picker = roundRobin();
    this.balancer = new Balancer({
      service: "test",
      picker,
      clock,
      random: () => 0.5,
      onRemoved: (upstream) => this.rotation.forget(upstream),
    });
    this.rotation = new Rotation({
      consecutiveFailures: modelled.consecutiveFailures,
      breakMs: modelled.breakMs,
      maxBreakMs: modelled.maxBreakMs,
      minCalls: 1_000_000,
      ejection: { maxEjectionPercent: modelled.maxEjectionPercent, successRate: false, failurePercentage: false },
      clock,
      random: () => 0.5,
      upstreams: () => this.balancer.members,
    });
    const { passiveHealth } = this.rotation;
    const watched = {
      admit: (upstream: Upstream) => {
        const permit = passiveHealth.admit(upstream);
        this.#started = { upstream, permit };
        return permit;
      },
      answered: passiveHealth.answered.bind(passiveHealth),
      ended: passiveHealth.ended.bind(passiveHealth),
      failed: passiveHealth.failed.bind(passiveHealth),
    };
    const noEndpoints = async () => new MeshError("ERR_MESH_NO_ENDPOINTS", "none");
    const ledger = new AttemptLedger({ picker, passiveHealth: watched, patience: impatient, clock: this.clock });
    const layer = balance({
      balancer: this.balancer,
      ledger,
      wait: { isOver: true, join: async () => {}, joinForSubset: async () => false, noEndpoints },
    });
    this.#dispatch = interceptorOf(layer)(endings(() => this.#ending).dispatch);
  }

  get now(): number {
    return this.clock.now();
  }

  /** Begins an attempt; `undefined` where the service has no instance. */
  begin(request: MeshRequest): Attempt | undefined {
    let answer: (ending: Ending) => void = () => {};
    this.#ending = new Promise((resolve) => {
      answer = resolve;
    });
    this.#started = undefined;
    const wasTried = request.tried.length > 0;
    const settled = this.#dispatch(request).catch(() => {});
    const started = this.#started as { upstream: Upstream; permit: CircuitPermit | undefined } | undefined;
    expect(started === undefined, "a service with endpoints gives a pick").toBe(this.circuits.size === 0);
    if (started === undefined) return undefined;
    const { upstream } = started;
    const circuit = this.circuits.get(upstream) as ModelCircuit;
    expect(circuit, "who is picked is listed").toBeDefined();
    const isAnyIn = [...this.circuits.values()].some((each) => !each.isOut);
    const isForProbe = !wasTried && circuit.state === "half-open" && circuit.isProbing(this.now) !== true;
    if (isAnyIn && circuit.isOut) expect(isForProbe, "nobody who is out is picked while another is in").toBe(true);
    const permit = circuit.admit(this.now, started.permit?.kind === "probe");
    expect(started.permit?.kind).toBe(permit.kind);
    const end = async (way: Way) => {
      const ending = endingOf(way);
      answer(ending);
      await settled;
      const cause = new MeshError("ERR_MESH_BODY", "cut off", { attempts: [...request.attempts] });
      if (way === "cut off" && typeof ending === "object" && "body" in ending) ending.body.close(cause);
      await this.clock.advance(0);
    };
    const attempt = { upstream, circuit, permit, end };
    this.open.push(attempt);
    return attempt;
  }

  /** Ends an attempt on both sides. */
  async end(attempt: Attempt, way: Way): Promise<void> {
    const { upstream, circuit, permit, end } = attempt;
    this.open.splice(this.open.indexOf(attempt), 1);
    await end(way);
    if (upstream.removed) return;
    const { now } = this;
    const openedBy = this.rotation.standing(upstream).rule;
    const heed = () => {
      if (circuit.isOut) circuit.askAgain(1.25 * askedMs);
      else if (this.#mayEject(2)) circuit.open("retry-after", now, 1.25 * askedMs);
    };
    if (way === "aborted" || way === "no descriptors") circuit.neutral(permit);
    else if (way === "ok" || way === "500" || way === "429") circuit.succeed(permit, now);
    else {
      if (way === "503 asks") heed();
      // The head decides a probe, unless the instance is out for what came behind good heads.
      if (way === "cut off" && permit.kind !== "normal" && !circuit.isOfBodies) circuit.succeed(permit, now);
      const { epoch } = circuit;
      circuit.fail(permit, way === "refused", now, () => this.circuits.size < 2 || this.#mayEject(2), openedBy);
      if (circuit.epoch !== epoch) circuit.isOfBodies = way === "cut off" || (permit.kind === "probe" && circuit.isOfBodies);
    }
  }

  discover(list: readonly (readonly [id: string, port: number])[]): void {
    this.balancer.update(list.map(([id, port]) => ({ id, host: "10.0.0.1", port })));
    const listed = new Set(this.balancer.upstreams);
    expect(
      [...listed].map(({ id, address }) => [id, address]),
      "another address is another upstream",
    ).toEqual(list.map(([id, port]) => [id, `10.0.0.1:${port}`]));
    for (const upstream of this.circuits.keys()) if (!listed.has(upstream)) this.circuits.delete(upstream);
    for (const upstream of listed) if (!this.circuits.has(upstream)) this.circuits.set(upstream, new ModelCircuit());
  }

  /** Of those that can be reached half may be out for what they answer, the first of two always, and never the last. */
  #mayEject(atLeast: number): boolean {
    const all = [...this.circuits.values()];
    const reachable = all.filter((each) => !each.isOut || (each.rule !== "connection refused" && each.rule !== "health check"));
    const out = reachable.filter((each) => each.isOut).length;
    return reachable.length >= atLeast && (out === 0 || (out + 1) / reachable.length <= modelled.maxEjectionPercent / 100);
  }

  /** The two sides agree. */
  check(): void {
    const wall = this.clock.wallNow() - this.now;
    for (const [upstream, circuit] of this.circuits) {
      circuit.pass(this.now);
      const { state, rule, untilMs } = this.rotation.standing(upstream);
      const out = circuit.rule === "health check" ? "unhealthy" : "ejected";
      const expected = {
        state: circuit.state === "closed" ? "available" : circuit.state === "half-open" ? "probing" : out,
        rule: circuit.rule,
        untilMs: circuit.untilMs === undefined ? undefined : circuit.untilMs + wall,
      };
      expect({ state, rule, untilMs }, upstream.id).toEqual(expected);
      const isProbing = circuit.state === "half-open" ? circuit.isProbing(this.now) : undefined;
      const allowed = {
        closed: ["available"],
        open: [out],
        "half-open": isProbing === undefined ? ["being probed", "probing"] : [isProbing ? "being probed" : "probing"],
      };
      expect(allowed[circuit.state], upstream.id).toContain(stateOf(upstream));
    }
    // The sweep's alone: who has left has taken the circuit's along.
    if (this.circuits.size === 0) expect([this.clock.pending.length < 2, vi.getTimerCount()], "timers left").toEqual([true, 0]);
    const inFlight = this.balancer.upstreams.map((upstream) => upstream.inFlight);
    expect(inFlight).toEqual(this.balancer.upstreams.map((upstream) => this.open.filter((each) => each.upstream === upstream).length));
  }

  async dispose(): Promise<void> {
    this.rotation.dispose();
    expect([this.clock.pending, vi.getTimerCount()], "timers left").toEqual([[], 0]);
    // What ends afterwards makes no new circuit.
    for (const attempt of [...this.open]) await attempt.end("refused");
    expect([this.clock.pending, vi.getTimerCount()], "timers left").toEqual([[], 0]);
  }
}

type Command = fc.AsyncCommand<object, Rig>;

/** A step by its name, which a counterexample shows. */
function command(name: string, run: (rig: Rig) => Promise<void> | void): Command {
  return {
    check: () => true,
    run: async (_model, rig) => {
      await run(rig);
      rig.check();
    },
    toString: () => name,
  };
}

const at = <Item>(list: readonly Item[], index: number): Item | undefined => list[index % Math.max(1, list.length)];
const ids = ["a", "b", "c", "d", "__proto__"];
const methods = fc.constantFrom("GET", "GET", "POST");
const requestOf = (rig: Rig, method: string, tried: number) =>
  testRequest({ method, tried: rig.balancer.upstreams.slice(0, tried), attempts: [] });

const attempts = fc
  .tuple(methods, fc.constantFrom(0, 0, 0, 1, 2), fc.constantFrom(...ways), fc.constantFrom(1, 1, 3, 8))
  .map(([method, tried, way, times]) =>
    command(`${times} × ${method} past ${tried}: ${way}`, async (rig) => {
      for (let time = 0; time < times; time++) {
        const attempt = rig.begin(requestOf(rig, method, tried));
        if (attempt !== undefined) await rig.end(attempt, way);
        rig.check();
      }
    }),
  );
const begins = fc.tuple(methods, fc.nat(2)).map(([method, tried]) =>
  command(`begin ${method} past ${tried}`, (rig) => {
    rig.begin(requestOf(rig, method, tried));
  }),
);
const ends = fc.tuple(fc.nat(9), fc.constantFrom(...ways)).map(([index, way]) =>
  command(`end ${index}: ${way}`, async (rig) => {
    const attempt = at(rig.open, index);
    if (attempt !== undefined) await rig.end(attempt, way);
  }),
);
const waits = fc
  .constantFrom(1, 500, 999, 1_000, 2_000, 6_250, 8_000, 12_000, 40_000)
  .map((ms) => command(`wait ${ms}`, (rig) => rig.clock.advance(ms)));
const updates = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...ids), fc.integer({ min: 1, max: 2 })), { selector: ([id]) => id })
  .map((list) => command(`discover ${list.map((each) => each.join(":"))}`, (rig) => rig.discover(list)));
const checks = fc.tuple(fc.nat(4), fc.boolean()).map(([index, isHealthy]) =>
  command(`${isHealthy ? "release" : "hold"} ${index}`, (rig) => {
    const entry = at([...rig.circuits], index);
    if (entry === undefined) return;
    const [upstream, circuit] = entry;
    rig.rotation[isHealthy ? "release" : "hold"](upstream);
    circuit[isHealthy ? "release" : "hold"](rig.now);
  }),
);

it("balancer and breakers agree with a model of the rules, whatever attempts, time, discovery and health checks do", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.commands([attempts, attempts, begins, ends, ends, waits, updates, checks], { maxCommands: 60, size: "max" }),
      async (commands) => {
        const rig = new Rig();
        rig.discover(ids.slice(0, 4).map((id) => [id, 1]));
        try {
          await fc.asyncModelRun(() => ({ model: {}, real: rig }), commands);
        } finally {
          await rig.dispose();
        }
      },
    ),
    { numRuns: 150 },
  );
});
