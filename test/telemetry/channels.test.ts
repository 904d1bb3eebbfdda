import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ChannelMessages } from "../../src/telemetry/channel-messages.ts";
import { channelObserver } from "../../src/telemetry/channels.ts";
import { Observers } from "../../src/telemetry/observing/observers.ts";
import { testRequest, testUpstream } from "../../src/testing/request.ts";
import { meshOf } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { closedPort, serve } from "../support/servers.ts";
import { until } from "../support/until.ts";
import { channelNames } from "./channel-names.ts";
import { callEnd } from "./support.ts";

/** Collects the messages on these channels until the test has ended. */
function published<Name extends keyof ChannelMessages & string>(
  ...channels: readonly Name[]
): { name: Name; event: ChannelMessages[Name] }[] {
  const events: { name: Name; event: ChannelMessages[Name] }[] = [];
  for (const name of channels) {
    const listener = (event: unknown) => void events.push({ name, event: event as ChannelMessages[Name] });
    subscribe(name, listener);
    onTestFinished(() => void unsubscribe(name, listener));
  }
  return events;
}

const ms = expect.any(Number);
const request = testRequest({ service: "orders", path: "/a?token=s3cret", options: { route: "/{x}" } });
const upstream = testUpstream({ service: "orders", id: "one", port: 81 });
const instance = { service: "orders", endpoint: "one", address: "127.0.0.1:81" };
const told = { service: "orders", method: "GET", path: "/a", route: "/{x}" };

describe("the channels", () => {
  it("tell of a call and its attempts when they have ended, without the query", async () => {
    const events = published("inmesh:call", "inmesh:attempt");
    let finish = () => {};
    const server = await serve((_request, response) => {
      response.write("o");
      finish = () => void response.end("k");
    });
    const mesh = meshOf({ users: server.port }, { observers: [] });
    const response = await mesh.fetch("users/1?token=s3cret", { mesh: { route: "/{id}" } });
    expect(events).toEqual([]);
    finish();
    await response.text();
    await until("both have ended", () => events.length === 2);
    const address = `127.0.0.1:${server.port}`;
    const both = { service: "users", method: "GET", path: "/1", route: "/{id}", status: 200, errorType: undefined, error: undefined };
    expect(events).toEqual([
      {
        name: "inmesh:attempt",
        event: {
          ...both,
          endpoint: address,
          address,
          attempt: 1,
          zone: undefined,
          phase: "body",
          cancelled: false,
          maybeExecuted: true,
          totalMs: ms,
        },
      },
      { name: "inmesh:call", event: { ...both, outcome: "success", attempts: 1, headMs: ms, totalMs: ms } },
    ]);
  });

  it("tell of retries, and of the failure that was left", async () => {
    const events = published("inmesh:call", "inmesh:retry", "inmesh:retry:denied", "inmesh:attempt");
    const mesh = meshOf({ users: [await closedPort(), await closedPort()] }, { retry: { maxAttempts: 2 } });
    await rejectionOf(mesh.fetch("users/1"));
    const summary = events.map(({ name, event }) => [
      name,
      "errorType" in event ? event.errorType : "reason" in event ? event.reason : "denied",
    ]);
    expect(summary).toEqual([
      ["inmesh:attempt", "ERR_MESH_CONNECT"],
      ["inmesh:retry", "ERR_MESH_CONNECT"],
      ["inmesh:attempt", "ERR_MESH_CONNECT"],
      ["inmesh:retry:denied", "denied"],
      ["inmesh:call", "ERR_MESH_RETRY_EXHAUSTED"],
    ]);
    expect(events.at(-1)?.event).toMatchObject({ outcome: "error", attempts: 2, error: expect.stringContaining("users") });
  });

  it("tell of breakers, ejections, availability and discovery, from a mesh", async () => {
    const events = published("inmesh:ejection", "inmesh:availability", "inmesh:breaker", "inmesh:discovery:update");
    const [good, bad] = [await serve(), await closedPort()];
    const mesh = meshOf({ users: [good.port, bad] });
    for (let call = 0; call < 20; call++) await (await mesh.fetch("users/1")).text();
    const address = `127.0.0.1:${bad}`;
    const out = { service: "users", endpoint: address, address };
    expect(events[0]).toEqual({
      name: "inmesh:discovery:update",
      event: { service: "users", endpoints: 2, rejected: 0, quarantined: false },
    });
    expect(events).toContainEqual({ name: "inmesh:ejection", event: { ...out, rule: "connection refused" } });
    expect(events).toContainEqual({ name: "inmesh:availability", event: { ...out, availability: "out" } });
    expect(events).toContainEqual({ name: "inmesh:breaker", event: { ...out, state: "open" } });
  });

  it("have a message for each event", () => {
    const events = published(...channelNames);
    const foreign = Object.assign(new TypeError("could not reach http://registry/?token=s3cret"), { code: "E_X" });
    channelObserver.onEvent?.({ type: "hedge", service: request.service, request, delayMs: 80 });
    channelObserver.onEvent?.({ type: "hedge-won", service: request.service, request });
    channelObserver.onEvent?.({ type: "retry", service: request.service, request, reason: "503", delayMs: 5 });
    channelObserver.onEvent?.({ type: "retry-denied", service: request.service, request, denial: "budget" });
    channelObserver.onEvent?.({ type: "endpoints", service: "orders", endpoints: [upstream.endpoint], rejected: [], quarantined: true });
    channelObserver.onEvent?.({ type: "breaker", service: "orders", state: "open" });
    const instanceState = { type: "instance-state", service: "orders", upstream, rule: "success rate" } as const;
    channelObserver.onEvent?.({ ...instanceState, state: "ejected", former: "available" });
    channelObserver.onEvent?.({ ...instanceState, state: "unhealthy", former: "ejected", rule: "health check" });
    channelObserver.onEvent?.({ ...instanceState, state: "probing", former: "ejected" });
    channelObserver.onEvent?.({ ...instanceState, state: "available", former: "probing", rule: undefined });
    channelObserver.onEvent?.({ type: "discovery-error", service: "orders", error: foreign });
    const trace = {
      service: "orders",
      method: "GET",
      path: "/",
      route: undefined,
      rule: undefined,
      target: undefined,
      sampled: true,
      decisions: [],
      attempts: [],
    };
    channelObserver.onEvent?.({ type: "trace", service: "orders", request, trace });
    expect(events).toEqual([
      { name: "inmesh:hedge", event: { ...told, delayMs: 80 } },
      { name: "inmesh:hedge:won", event: told },
      { name: "inmesh:retry", event: { ...told, reason: "503", delayMs: 5 } },
      { name: "inmesh:retry:denied", event: { ...told, denial: "budget" } },
      { name: "inmesh:discovery:update", event: { service: "orders", endpoints: 1, rejected: 0, quarantined: true } },
      { name: "inmesh:breaker", event: { service: "orders", state: "open", endpoint: undefined, address: undefined } },
      { name: "inmesh:availability", event: { ...instance, availability: "out" } },
      { name: "inmesh:breaker", event: { ...instance, state: "open" } },
      { name: "inmesh:ejection", event: { ...instance, rule: "success rate" } },
      // Nothing for an instance that was ejected and is unhealthy: it is out as before.
      { name: "inmesh:availability", event: { ...instance, availability: "probe" } },
      { name: "inmesh:breaker", event: { ...instance, state: "half-open" } },
      { name: "inmesh:availability", event: { ...instance, availability: "in" } },
      { name: "inmesh:breaker", event: { ...instance, state: "closed" } },
      { name: "inmesh:discovery:error", event: { service: "orders", errorType: "_OTHER", error: "TypeError" } },
      { name: "inmesh:trace", event: { ...told, sampled: true, decisions: [] } },
    ]);
    const others = channelNames.filter((name) => name !== "inmesh:call" && name !== "inmesh:attempt");
    expect(new Set(events.map(({ name }) => name))).toEqual(new Set(others));
  });

  it("have no message of an error that is not the mesh's, and neither headers nor query", () => {
    const events = published(...channelNames);
    const secret = testRequest({ service: "orders", path: "/a?key=s3cret#s3cret", headers: { authorization: "s3cret" } });
    for (const error of [new Error("s3cret"), "s3cret", { s3cret: "s3cret" }]) {
      channelObserver.onCall?.(secret)?.onEnd?.(callEnd({ status: undefined, error }));
      channelObserver.onEvent?.({ type: "discovery-error", service: "orders", error });
    }
    expect(events).toHaveLength(6);
    expect(JSON.stringify(events)).not.toContain("s3cret");
  });

  it("follow nothing without a subscriber, and only what has one", () => {
    expect([channelObserver.onCall?.(request), channelObserver.onAttempt?.(request, upstream, undefined)]).toEqual([undefined, undefined]);
    published("inmesh:attempt");
    expect(channelObserver.onCall?.(request)).toBeUndefined();
    expect(channelObserver.onAttempt?.(request, upstream, undefined)).toBeDefined();
  });

  it("take no events while no channel of events has subscribers", () => {
    const own = new Observers([channelObserver]);
    expect([channelObserver.onEvent, own.emit]).toEqual([undefined, undefined]);
    published("inmesh:call", "inmesh:attempt");
    expect(own.emit).toBeUndefined();
    const events = published("inmesh:hedge:won");
    own.emit?.({ type: "hedge-won", service: "orders", request });
    own.emit?.({ type: "breaker", service: "orders", state: "open" });
    expect(events).toEqual([{ name: "inmesh:hedge:won", event: told }]);
  });
});
