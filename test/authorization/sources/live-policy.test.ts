import { describe, expect, it, onTestFinished } from "vitest";
import type { Policy } from "../../../src/authorization/policy.ts";
import { LivePolicy } from "../../../src/authorization/sources/live-policy.ts";
import type { PolicyListener } from "../../../src/authorization/sources/policy-source.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { longestTurn, threadMs } from "../../support/longest-turn.ts";
import { settle, until } from "../../support/until.ts";

const rulesOf = (count: number, path: string): string =>
  `rules:\n${Array.from({ length: count }, (_, n) => `  - id: rule-${n}\n    action: allow\n    to: { methods: [GET, HEAD], paths: ["${path}/${n}/{id}"] }\n`).join("")}`;

function rig(first?: Policy) {
  const live = new LivePolicy(first, systemClock);
  let told: PolicyListener | undefined;
  live.follow({
    name: "the source",
    watch(listener) {
      told = listener;
      return { close: () => {} };
    },
  });
  const warnings: string[] = [];
  const onWarning = (warning: Error): void => void (warning.name === "MeshPolicyWarning" && warnings.push(warning.message));
  process.on("warning", onWarning);
  onTestFinished(() => {
    process.off("warning", onWarning);
    live.close();
  });
  const allows = (path: string): boolean | undefined =>
    live.current?.decide({ method: "GET", path, headerValues: () => [] }, { identity: undefined, address: undefined, tokens: [] }, 0)
      .allowed;
  return { live, listener: told as PolicyListener, warnings, allows };
}

describe("the policy in force", () => {
  it("is a short text at once, and a long one when it has been read", async () => {
    const { listener, allows } = rig();
    listener.update(rulesOf(2, "/short"));
    expect(allows("/short/1/x")).toBe(true);
    listener.update(rulesOf(1_000, "/long"));
    expect(allows("/short/1/x")).toBe(true);
    await until("the long one", () => allows("/long/999/x") === true);
    expect(allows("/short/1/x")).toBe(false);
  });

  it.skipIf(threadMs === undefined)(
    "holds requests up by less than 50 ms while a thousand rules are read",
    { timeout: 60_000 },
    async () => {
      const { listener, allows } = rig();
      let round = 0;
      const { ms } = await longestTurn(async () => {
        round++;
        listener.update(rulesOf(1_000, `/v${round}`));
        await until("the policy", () => allows(`/v${round}/999/x`) === true, 20_000);
      }, 5);
      expect(ms).toBeLessThan(50);
    },
  );

  it("is the newest, however long the reading of each takes", async () => {
    const { listener, allows } = rig();
    listener.update(rulesOf(3_000, "/first"));
    listener.update(rulesOf(500, "/second"));
    listener.update(rulesOf(1, "/third"));
    expect(allows("/third/0/x")).toBe(true);
    await settle();
    await settle();
    expect([allows("/third/0/x"), allows("/second/0/x"), allows("/first/0/x")]).toEqual([true, false, false]);
  });

  it("stays where a long text is wrong, whose fault is said with its line", async () => {
    const { listener, allows, warnings } = rig();
    listener.update(rulesOf(1, "/good"));
    for (const [fault, said] of [
      ["  - { id: last, action: allow, too: {} }\n", "the source:602:32: rules[200].too: there is no such field; did you mean to?"],
      ["  - { id: last, id: last, action: allow }\n", "the source:602:17: Map keys must be unique"],
      ["  - { id: rule-7, action: allow }\n", "the source:602:11: rules[200].id: another rule has the id rule-7"],
      ["  - { id: last, action: allow\n", "the source:603:1: "],
    ] as const) {
      listener.update(rulesOf(200, "/bad") + fault);
      await until(said, () => warnings.at(-1)?.startsWith(said) ?? false);
      expect(warnings.at(-1)).toContain("; the last good policy stays in force");
    }
    expect([allows("/good/0/x"), allows("/bad/0/x")]).toEqual([true, false]);
  });

  it("is the same by either way: names that are special, and numbers that JSON does not have", async () => {
    const { listener, live } = rig();
    const special = `${rulesOf(300, "/x")}  - { id: odd, action: allow, from: { token: { claims: { __proto__: [a], n: [1.5, -0.0, true] } } } }\n`;
    listener.update(special);
    await until("the policy", () => live.current !== undefined);
    const decide = (claims: Record<string, unknown>) =>
      live.current?.decide(
        { method: "GET", path: "/", headerValues: () => [] },
        { identity: undefined, address: undefined, tokens: [{ provider: "p", issuer: "i", subject: undefined, claims }] },
        0,
      ).ruleId;
    expect([
      decide({ n: 1.5 }),
      decide(JSON.parse('{"__proto__":["a"],"n":1.5}')),
      decide(JSON.parse('{"__proto__":["b"],"n":1.5}')),
    ]).toEqual([undefined, "odd", undefined]);
  });

  it("does not change after it is closed, and what reads a text ends with it", async () => {
    const { live, listener, allows } = rig();
    listener.update(rulesOf(1, "/good"));
    listener.update(rulesOf(2_000, "/late"));
    live.close();
    await settle();
    expect([allows("/good/0/x"), allows("/late/0/x")]).toEqual([true, false]);
  });
});
