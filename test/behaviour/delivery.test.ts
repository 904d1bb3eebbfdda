import { type ChildProcess, fork } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { roundRobin } from "../../src/balancer/pickers/round-robin.ts";
import type { MeshError } from "../../src/core/errors.ts";
import { meshOf } from "../support/mesh.ts";
import { until } from "../support/until.ts";

const ratePerSecond = 200;
const seconds = 4;

interface Sent {
  readonly id: string;
  readonly method: "GET" | "POST";
  /** The response body; `undefined` where the call failed. */
  body?: string;
  error?: MeshError;
}

interface Instance {
  readonly port: number;
  readonly process: ChildProcess;
}

async function startInstances(count: number, journal: string): Promise<readonly Instance[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const child = fork(join(import.meta.dirname, "journalling-instance.ts"), [journal]);
      onTestFinished(() => void child.kill("SIGKILL"));
      const port = await new Promise<number>((resolve, reject) => {
        child.once("message", (message) => resolve(message as number));
        child.once("error", reject);
      });
      return { port, process: child };
    }),
  );
}

/** Three instances under load that does not wait for answers; `disturb` hits one of them in the middle. */
async function underLoad(disturb: (victim: ChildProcess) => void, heal: (victim: ChildProcess) => void) {
  const directory = await mkdtemp(join(tmpdir(), "inmesh-delivery-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const journal = join(directory, "journal");
  const instances = await startInstances(3, journal);
  const victim = (instances[1] as Instance).process;
  // A picker that gives every instance its share, or the victim might have had nothing to lose.
  const picker = roundRobin();
  const mesh = meshOf({ orders: instances.map(({ port }) => port) }, { picker, attemptTimeoutMs: 500, drainTimeoutMs: 5_000 });
  const sent: Sent[] = [];
  const calls: Promise<void>[] = [];
  const send = (): void => {
    const method = sent.length % 2 === 0 ? "GET" : "POST";
    const one: Sent = { id: `${method} ${sent.length}`, method };
    sent.push(one);
    const call = mesh.fetch(`orders/${sent.length - 1}`, method === "GET" ? { method } : { method, body: "x".repeat(100) });
    calls.push(
      call
        .then((response) => response.text())
        .then(
          (body) => {
            one.body = body;
          },
          (error: MeshError) => {
            one.error = error;
          },
        ),
    );
  };
  const total = ratePerSecond * seconds;
  const begun = performance.now();
  await new Promise<void>((resolve) => {
    let isDisturbed = false;
    const pace = setInterval(() => {
      // By the clock, not by the ticks: a late tick sends what is due.
      const due = Math.min(total, Math.floor(((performance.now() - begun) / 1_000) * ratePerSecond));
      while (sent.length < due) send();
      if (!isDisturbed && sent.length >= total / 2) {
        isDisturbed = true;
        disturb(victim);
      }
      if (sent.length < total) return;
      clearInterval(pace);
      resolve();
    }, 5);
  });
  await Promise.all(calls);
  heal(victim);
  const lines = async () => (await readFile(journal, "utf8")).split("\n");
  // An instance that goes on executes what it had been given: the journal is complete when it stands still.
  let size = -1;
  await until(
    "the journal stands still",
    async () => {
      const before = size;
      size = (await lines()).length;
      await new Promise((resolve) => setTimeout(resolve, 200));
      return before === size;
    },
    10_000,
  );
  const begins = new Map<string, number>();
  const ends = new Set<string>();
  for (const line of await lines()) {
    const [what, id] = [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)];
    if (what === "begin") begins.set(id, (begins.get(id) ?? 0) + 1);
    else if (what === "end") ends.add(id);
  }
  return { sent, begins, ends, explained: mesh.explain("orders") };
}

describe("delivery", () => {
  for (const [fault, disturb, heal] of [
    ["killed", (victim: ChildProcess) => victim.kill("SIGKILL"), () => {}],
    ["frozen", (victim: ChildProcess) => victim.kill("SIGSTOP"), (victim: ChildProcess) => victim.kill("SIGCONT")],
  ] as const) {
    it(`an instance ${fault} under load loses no GET and executes no POST twice`, async () => {
      const { sent, begins, ends, explained } = await underLoad(disturb, heal);
      expect(sent).toHaveLength(ratePerSecond * seconds);
      for (const { id, method, body, error } of sent) {
        // Settled one way: nothing is lost, nothing is mixed up, nothing that came back was not executed.
        expect([body === undefined, error === undefined]).toContain(true);
        if (error === undefined) {
          expect(body).toBe(id);
          expect(ends.has(id)).toBe(true);
        }
        if (method === "GET") expect(error, `${id} failed`).toBeUndefined();
        else expect(begins.get(id) ?? 0, `${id} was executed more than once`).toBeLessThanOrEqual(1);
        // A request that certainly was not executed, by its error, was not.
        if (error !== undefined && begins.has(id)) expect(error.maybeExecuted).toBe(true);
      }
      // The fault was felt, and few calls were on their way to the victim.
      const failed = sent.filter(({ error }) => error !== undefined);
      expect(failed.length).toBeLessThan(ratePerSecond / 4);
      expect(explained?.endpoints[1]?.failures).toBeGreaterThan(0);
      expect(explained?.endpoints.every(({ inFlight }) => inFlight === 0)).toBe(true);
    });
  }
});
