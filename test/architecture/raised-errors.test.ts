import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type MeshErrorCode, meshErrorCodes } from "../../src/core/errors.ts";
import { raisingPlacesOf } from "./raised-errors.ts";

/** When a place raises its code: a reason for each time that the code is written there. */
type Reasons = readonly string[];

/**
 * Every place that raises a code; the test kit raises what a test tells it to, and is left out. A new one is a question: is it covered by the sentence of its code in `src/core/errors.ts`, and by the
 * causes in docs/reference/errors.md? When both are true for it, it is added here.
 */
const places: Readonly<Record<MeshErrorCode, Readonly<Record<string, Reasons>>>> = {
  ERR_MESH_INVALID_TARGET: {
    "fetch/target.ts: refused": ["the target does not follow the grammar"],
    "attempts/pick-secure.ts: noTls": ["the target asks for TLS, which no instance speaks"],
    "mesh/services.ts: unrouted": ["a request of a gateway that no route leads to a service"],
  },
  ERR_MESH_NO_ENDPOINTS: {
    "discovery/endpoint-wait.ts: EndpointWait.noEndpoints": ["discovery listed none"],
    "discovery/endpoint-wait.ts: EndpointWait.#noneOfSubset": ["a route leads to a subset that no instance is of"],
    "discovery/endpoint-wait.ts: EndpointWait.#unanswered": ["discovery has not answered within discoveryTimeoutMs"],
    "mesh/services.ts: Services.ofCatalogue": ["too many unknown names, and the catalogue does not have this one"],
    "cli/fetch/first-error.ts: firstErrorOf": ["discovery failed before its first answer, and the command does not wait for a better one"],
  },
  ERR_MESH_TIMEOUT: {
    "fetch/decoding/decode-guard.ts: DecodeGuard.#onDeadline": ["the deadline passed while a body was decoded that had arrived"],
    "policies/deadline.ts: BoundedCall.handleTimer": ["the call's deadline passed"],
    "policies/attempt-timeout.ts: BoundedAttempt.#giveUp": ["the limit of one attempt passed"],
    "routing/fault.ts: DelayedCall.wait": ["the call's deadline passed while a rule held it up on purpose"],
    "routing/mirror/copy.ts: Copy.handleTimer": ["the limit of a copy passed; no caller gets it"],
    "wire/failure.ts: codeOf": ["the idle limit of a body passed"],
  },
  ERR_MESH_CIRCUIT_OPEN: { "policies/service-breaker.ts: serviceBreaker": ["the breaker admits no call"] },
  ERR_MESH_OVERLOADED: {
    "mesh/services.ts: refusal": [
      "all of maxServices services have calls in flight, or too many unknown names and no catalogue to look them up in",
    ],
    "policies/concurrency/concurrency-limit.ts: ConcurrencyLimiter.#refusal": [
      "no place, and none in the queue, in time or after shedding",
    ],
    "policies/concurrency/instance-limit.ts: InstanceLimit.constructor": ["the same, for every instance"],
    "policies/throttle.ts: throttling": ["the service refuses most calls"],
    "routing/mirror/copy-way.ts: full": ["the instance picked for a copy has no room; no caller gets it"],
  },
  ERR_MESH_RETRY_EXHAUSTED: { "policies/retry/retry.ts: lastResult": ["the last of several attempts failed"] },
  ERR_MESH_CONNECT: {
    "wire/failure.ts: codeOf": ["a failure before the request was given to a socket"],
    "attempts/lease.ts: failureOf": ["a client of node:http could not connect; for the statistics, no caller gets it"],
    "routing/fault.ts: Injector.#abort": ["a rule breaks the call on purpose"],
  },
  ERR_MESH_TLS_PEER: { "wire/failure.ts: codeOf": ["a failure of TLS before the request was given to a socket"] },
  ERR_MESH_PROTOCOL: {
    "bridges/outside-handler.ts: refused": ["a redirect from outside of the mesh leads into it"],
    "wire/failure.ts: codeOf": ["a failure after the request was given to a socket and before a response head"],
    "wire/upgrade-handler.ts: UpgradeHandler.onHeaders": ["an answer to an upgrade that is no upgrade"],
    "fetch/fetch.ts: fetchRedirected": ['a redirect, and `redirect` is "error"'],
    "fetch/redirect.ts: refused": ["a redirect that leads out of the service, is one too many, or needs a stream again"],
    "attempts/lease.ts: failureOf": ["a connection of a client of node:http broke; for the statistics, no caller gets it"],
    "connect/wire-error.ts: faultOf": ["an answer that is none of its protocol; the cause of a ConnectError"],
    "attempts/attempt-ledger.ts: Attempt.#lateFailure": [
      "a status of gRPC behind the messages is a failure; for pickers, no caller gets it",
    ],
  },
  ERR_MESH_BODY: {
    "connect/wire-error.ts: faultOf": ["a message over the limit of a transport; the cause of a ConnectError"],
    "wire/failure.ts: codeOf": [
      "the request body could not be read",
      "the request body has another length than its content-length",
      "the response was cut off after its head",
    ],
    "fetch/decoding/decoded-body.ts: DecodedBody.#error": ["the response body does not decode, or to more than `decode` allows"],
    "core/errors.ts: tooLargeToCollect": ["more would be collected than maxCollectedBytes allows"],
    "policies/max-response-bytes.ts: maxResponseBytes": ["the response body is larger than maxResponseBytes"],
    "policies/delimited-body.ts: delimitedBody": ["the response body ends with its connection, and requireDelimitedBody is on"],
  },
  // Beside interceptors of the application.
  ERR_MESH_ROUTE: {
    "bridges/upgrade.ts: upgradeThrough": ["a rule answers an upgrade, and changes no protocol"],
    "routing/routed-by-agent.ts: routedByAgent": ["a rule has a part that an agent cannot apply"],
    "routing/actions/rewritten-path.ts: checkedPath": ["a rule makes a path that is not sent"],
    "routing/live-routes.ts: LiveRoutes.unready": ["the source has told of no routes within the deadline"],
  },
  ERR_MESH_FORBIDDEN: { "policies/authorize.ts: forbidden": ["`authorize` has not let the call pass"] },
  ERR_MESH_TOKEN: {
    "bridges/token-header.ts: notAdded": ["the head of a request of an agent was on its way when the token was there"],
    "policies/token/kept-token.ts: KeptToken.#unlessCancelled": ["the provider of the service's token failed"],
  },
  ERR_MESH_LOCAL_RESOURCE: { "wire/failure.ts: codeOf": ["the socket could not be made for want of descriptors, ports or memory"] },
  ERR_MESH_IDENTITY: { "wire/failure.ts: codeOf": ["no connection was made, for want of an identity that is good now"] },
  ERR_MESH_DISCOVERY: {
    "discovery/combined/sources.ts: allFailed": ["every source of a combination failed"],
    "discovery/dns/dns.ts: dns": ["a DNS server failed"],
    "discovery/file/list-file.ts: ListFile.#fault": ["a file cannot be read, or holds no list"],
    "discovery/last-good/last-good.ts: LastGood.#fault": ["the remembered endpoints cannot be used, or not be written"],
    "registries/consul/catalogue.ts: listServices": ["Consul failed"],
    "registries/consul/prepared-query.ts: watchPreparedQuery": ["Consul failed"],
    "registries/consul/watch.ts: watchService": ["Consul failed"],
    "registries/eureka/fetch-registry.ts: failure": ["Eureka failed"],
  },
  ERR_MESH_REGISTRATION: {
    "registration/joint-registration.ts: JointRegistration.#endedError": ["the registration has been ended"],
    "registration/joint-registration.ts: JointRegistration.#errorOf": ["some of several registries failed"],
    "registries/consul/agent-entry.ts: AgentEntry.errorOf": ["Consul failed"],
    "registries/eureka/lease.ts: EurekaLease.errorOf": ["Eureka failed"],
  },
  ERR_MESH_CLOSED: {
    "routing/live-routes.ts: LiveRoutes.#closedError": ["the mesh was closed while the call waited for the routes"],
    "discovery/endpoint-wait.ts: EndpointWait.close": ["close() ended a call that waits for the first endpoints"],
    "mesh/registrations.ts: Registrations.register": ["register() after close()"],
    "mesh/services.ts: closedError": ["a call after close()"],
    "wire/failure.ts: codeOf": ["close() ended a call in flight"],
  },
};

const src = join(import.meta.dirname, "../../src");

function raisedInSources(): readonly string[] {
  const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter(
    (name) => name.endsWith(".ts") && !name.startsWith("testing"),
  );
  const found = files
    .map((name) => name.replaceAll("\\", "/"))
    .flatMap((path) => raisingPlacesOf(path, readFileSync(join(src, path), "utf8")));
  return found.map(({ code, place }) => `${code} ${place}`);
}

describe("the codes of errors", () => {
  it("are raised in the places that were reviewed against their sentences, and in no other", () => {
    const reviewed = Object.entries(places).flatMap(([code, byPlace]) =>
      Object.entries(byPlace).flatMap(([place, reasons]) => reasons.map(() => `${code} ${place}`)),
    );
    expect([...raisedInSources()].sort()).toEqual(reviewed.sort());
  });

  it("have a sentence each", () => {
    expect(Object.keys(places)).toEqual(Object.keys(meshErrorCodes));
  });
});

describe("a place that raises a code", () => {
  const placesIn = (text: string) => raisingPlacesOf("a.ts", text).map(({ code, place }) => `${code} ${place}`);

  it("is found by its literal, named after the outermost function or method", () => {
    const text = `
      class Limit { #max = () => { throw new MeshError("ERR_MESH_OVERLOADED", "m"); }; constructor() { fail(new MeshError("ERR_MESH_BODY", "m")); } }
      function refuse() { const inner = () => new MeshError("ERR_MESH_CLOSED", "m"); return inner; }
      const other = { make: () => new MeshError("ERR_MESH_CONNECT", "m") };
      if (error.code === "ERR_MESH_TIMEOUT") throw error;`;
    expect(placesIn(text)).toEqual([
      "ERR_MESH_OVERLOADED a.ts: Limit.#max",
      "ERR_MESH_BODY a.ts: Limit.constructor",
      "ERR_MESH_CLOSED a.ts: refuse",
      "ERR_MESH_CONNECT a.ts: other",
    ]);
  });

  it("is where a computed code is written as a value: not in comparisons, cases and types", () => {
    const text = `
      type Code = "ERR_MESH_CONNECT";
      function codeOf(error) {
        if (error.code !== "ERR_MESH_CLOSED") return "ERR_MESH_BODY";
        switch (error.code) { case "ERR_MESH_TIMEOUT": return error.isSent ? "ERR_MESH_PROTOCOL" : "ERR_MESH_CONNECT"; }
      }
      const failureOf = (error) => new MeshError(codeOf(error), "m");`;
    expect(placesIn(text)).toEqual(["ERR_MESH_BODY a.ts: codeOf", "ERR_MESH_PROTOCOL a.ts: codeOf", "ERR_MESH_CONNECT a.ts: codeOf"]);
  });

  it("is found although its file writes no code", () => {
    expect(placesIn("throw new MeshError(code, 'm');")).toEqual(["? a.ts: a code that is computed elsewhere"]);
  });
});
