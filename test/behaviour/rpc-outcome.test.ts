// Calls of gRPC over mesh.request count by their status, wherever it stands, and not by the HTTP status of their heads.
import { createServer, type OutgoingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { describe, expect, it } from "vitest";
import type { CallOptions, Mesh, MeshOptions } from "../../src/index.ts";
import { roundRobin } from "../../src/index.ts";
import { writeFrame } from "../../src/rpc/frames.ts";
import { meshOf } from "../support/mesh.ts";
import { listening } from "../support/servers.ts";

type Answer = (stream: ServerHttp2Stream, headers: Readonly<Record<string, unknown>>) => void;

const message = writeFrame(0, new Uint8Array([8, 1]));
const type = { ":status": 200, "content-type": "application/grpc+proto" };
/** Answers with a head alone. */
const trailersOnly =
  (status: number, more: Readonly<Record<string, string>> = {}): Answer =>
  (stream) =>
    stream.respond({ ...type, "grpc-status": String(status), ...more }, { endStream: true });
/** Answers with a message, and the status behind it. */
const behind =
  (status: number | undefined): Answer =>
  (stream) => {
    stream.respond(type, { waitForTrailers: true });
    stream.once("wantTrailers", () => (status === undefined ? stream.close() : stream.sendTrailers({ "grpc-status": String(status) })));
    stream.end(message);
  };

/** Answers without a status of gRPC. */
const page =
  (head: OutgoingHttpHeaders, content: string | Uint8Array): Answer =>
  (stream) => {
    stream.respond(head);
    stream.end(content);
  };

async function grpcServer(answer: Answer) {
  const seen: Record<string, unknown>[] = [];
  const server = createServer();
  server.on("stream", (stream, headers) => {
    seen.push(headers);
    stream.on("error", () => {});
    stream.resume();
    stream.once("end", () => answer(stream, headers));
  });
  return { port: await listening(server), seen };
}

const call = async (mesh: Mesh, options: CallOptions = {}) => {
  const response = await mesh.request("carts/shop.v1.Carts/Add", {
    method: "POST",
    headers: { "content-type": "application/grpc+proto" },
    body: message,
    mesh: options,
  });
  await response.body.text();
  return response;
};

const meshTo = (ports: readonly number[], options: Partial<MeshOptions> = {}) =>
  meshOf({ carts: ports }, { protocol: "h2", picker: roundRobin(), ...options });

async function failuresAfter(answer: Answer, calls = 1, options: CallOptions = {}) {
  const { port } = await grpcServer(answer);
  const mesh = meshTo([port], { retry: false, breaker: { minCalls: 20 } });
  for (let index = 0; index < calls; index++) await call(mesh, options).catch(() => {});
  const [endpoint] = mesh.explain("carts")?.endpoints ?? [];
  return { failures: endpoint?.failures, state: endpoint?.state };
}

describe("an instance of gRPC", () => {
  it.each([
    ["OK behind a message", behind(0), { failures: 0, state: "available" }],
    ["UNAVAILABLE in its head", trailersOnly(14), { failures: 5, state: "ejected" }],
    ["UNAVAILABLE behind a message", behind(14), { failures: 5, state: "ejected" }],
    ["INTERNAL, which is an answer as 500 is", behind(13), { failures: 5, state: "available" }],
    ["UNKNOWN, by an exception of a method", trailersOnly(2), { failures: 5, state: "available" }],
    ["NOT_FOUND, which is the caller's", trailersOnly(5), { failures: 0, state: "available" }],
    ["RESOURCE_EXHAUSTED, which is of one caller", trailersOnly(8), { failures: 0, state: "available" }],
    ["CANCELLED", behind(1), { failures: 0, state: "available" }],
    ["no status at all", page(type, message), { failures: 5, state: "available" }],
    ["DEADLINE_EXCEEDED at once, by a limit of the call", trailersOnly(4), { failures: 0, state: "available" }],
    [
      "a page, since it is no server of gRPC",
      page({ ":status": 200, "content-type": "text/html" }, "<p>hello"),
      { failures: 5, state: "available" },
    ],
    ["HTTP 503", (stream: ServerHttp2Stream) => stream.respond({ ":status": 503 }, { endStream: true }), { failures: 5, state: "ejected" }],
  ])("that answers %s", async (_name, answer, expected) => {
    expect(await failuresAfter(answer, 5)).toEqual(expected);
  });
});

it("sends a call again that was answered UNAVAILABLE, where it is idempotent, and tells the instance how many attempts there were", async () => {
  const bad = await grpcServer(trailersOnly(14));
  const good = await grpcServer(behind(0));
  const mesh = meshTo([bad.port, good.port]);
  for (let index = 0; index < 4; index++) {
    const response = await call(mesh, { idempotent: true });
    expect(response.trailers).toEqual({ "grpc-status": "0" });
  }
  expect(bad.seen.length).toBeGreaterThan(0);
  expect(good.seen.some((headers) => headers["grpc-previous-rpc-attempts"] === "1")).toBe(true);
});

it("does not send a call again that may have been executed", async () => {
  const bad = await grpcServer(trailersOnly(14));
  const good = await grpcServer(behind(0));
  const mesh = meshTo([bad.port, good.port], { breaker: false });
  for (let index = 0; index < 4; index++) await call(mesh);
  expect([bad.seen.length, good.seen.length]).toEqual([2, 2]);
});

it("heeds an instance that asks for no further attempt", async () => {
  const bad = await grpcServer(trailersOnly(14, { "grpc-retry-pushback-ms": "-1" }));
  const mesh = meshTo([bad.port], { breaker: false });
  await call(mesh, { idempotent: true });
  expect(bad.seen).toHaveLength(1);
});

it("opens the breaker of the service by the statuses of its answers", async () => {
  const { port } = await grpcServer(trailersOnly(14));
  const mesh = meshTo([port], { retry: false, breaker: { minCalls: 5, failureRatio: 0.5 } });
  const codes: unknown[] = [];
  for (let index = 0; index < 12; index++)
    await call(mesh).then(
      () => codes.push("answered"),
      (error: { code?: unknown }) => codes.push(error.code),
    );
  expect(codes).toContain("ERR_MESH_CIRCUIT_OPEN");
});

it("shows observers the status, and the records of attempts its name", async () => {
  const { port } = await grpcServer(trailersOnly(14));
  const ends: unknown[] = [];
  const records: unknown[] = [];
  const mesh = meshTo([port], {
    retry: false,
    observers: [
      {
        onCall: () => ({ onEnd: ({ status, rpcStatus }) => void ends.push([status, rpcStatus]) }),
        onAttempt: (request) => ({
          onEnd: ({ record, rpcStatus }) =>
            void setImmediate(() => records.push([record.status, rpcStatus, request.attempts[0]?.rpcStatus])),
        }),
      },
    ],
  });
  await call(mesh);
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  expect(ends).toEqual([[200, 14]]);
  expect(records).toEqual([[200, 14, "UNAVAILABLE"]]);
});
