// Retries are the mesh's: what no instance has executed, and what may be executed twice. Errors tell what the mesh knows.
import * as http2 from "node:http2";
import * as grpc from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { callOptions, grpcDetails } from "../../src/grpc/grpc.ts";
import { roundRobin } from "../../src/index.ts";
import { meshOf } from "../support/mesh.ts";
import { clientOf } from "./clients.ts";
import { errorOf, type GreeterHandlers, greet, startGreeter } from "./greeter.ts";
import { answerWith, frame, head, startPeer } from "./peer.ts";

const unavailable: GreeterHandlers = {
  greet: (_call, told) => told({ code: grpc.status.UNAVAILABLE, details: "not now" }),
  read: (_call, told) => told({ code: grpc.status.UNAVAILABLE, details: "not now" }),
};

/** A mesh whose first call goes to the first instance of the list. */
function inTurn(ports: readonly number[]) {
  return meshOf({ greeter: ports }, { picker: roundRobin(), random: () => 0 });
}

async function oneBad(): Promise<{
  bad: Awaited<ReturnType<typeof startGreeter>>;
  good: Awaited<ReturnType<typeof startGreeter>>;
  ports: number[];
}> {
  const [bad, good] = await Promise.all([startGreeter(unavailable), startGreeter()]);
  return { bad, good, ports: [bad.port, good.port] };
}

describe("retries", () => {
  it("repeat a method that the definition calls free of side effects", async () => {
    const { bad, ports } = await oneBad();
    const client = clientOf(inTurn(ports));
    for (let call = 0; call < 6; call++) expect(await greet(client, "x", {}, { method: "read" })).toBe("read x");
    expect(bad.calls).toBeGreaterThan(0);
  });

  it("leave UNAVAILABLE of every other method alone, of which nothing says that it was not executed", async () => {
    const { bad, good, ports } = await oneBad();
    const client = clientOf(inTurn(ports));
    const ends = await Promise.allSettled(Array.from({ length: 4 }, () => greet(client, "x")));
    const failed = ends.filter(({ status }) => status === "rejected");
    expect(failed.length).toBe(bad.calls);
    expect(bad.calls).toBeGreaterThan(0);
    expect(good.calls + bad.calls).toBe(4);
    const error = (failed[0] as PromiseRejectedResult).reason as grpc.ServiceError;
    expect(error).toMatchObject({ code: grpc.status.UNAVAILABLE, details: "not now" });
    expect(grpcDetails(error)).toMatchObject({ service: "greeter", instance: `127.0.0.1:${bad.port}`, maybeExecuted: true });
    expect(grpcDetails(error)?.attempts).toHaveLength(1);
  });

  it("repeat it by the word of the caller, or by its path", async () => {
    const { ports } = await oneBad();
    const mesh = inTurn(ports);
    const byCall = clientOf(mesh);
    const byPath = clientOf(mesh, { idempotent: ["/test.Greeter/Greet"] });
    for (let call = 0; call < 3; call++) {
      expect(await greet(byCall, "x", callOptions({ idempotent: true }))).toBe("hello x");
      expect(await greet(byPath, "x")).toBe("hello x");
    }
  });

  it("repeat an error that stands in trailers, behind a head without a message", async () => {
    const peer = await startPeer((stream) => answerWith(stream, Buffer.alloc(0), { "grpc-status": "14", "grpc-message": "full" }));
    const { port } = await startGreeter();
    const client = clientOf(inTurn([peer.port, port]));
    for (let call = 0; call < 4; call++) expect(await greet(client, "x", {}, { method: "read" })).toBe("read x");
    expect(peer.calls()).toBeGreaterThan(0);
  });

  it("repeat every method that was refused or never sent", async () => {
    const refusing = await startPeer((stream) => stream.close(http2.constants.NGHTTP2_REFUSED_STREAM));
    const { port } = await startGreeter();
    const client = clientOf(inTurn([refusing.port, 9, port]));
    for (let call = 0; call < 6; call++) expect(await greet(client, "x")).toBe("hello x");
    expect(refusing.calls()).toBeGreaterThan(0);
  });

  it("are one table: grpc-js repeats nothing beside it", async () => {
    const { port, calls } = await startPeer((stream) => stream.close(http2.constants.NGHTTP2_REFUSED_STREAM));
    const client = clientOf(meshOf({ greeter: port }, { retry: { maxAttempts: 2, baseDelayMs: 1 } }));
    const error = await errorOf(greet(client, "x"));
    expect(error.code).toBe(grpc.status.UNAVAILABLE);
    expect(calls()).toBe(2);
    expect(grpcDetails(error)).toMatchObject({ maybeExecuted: false });
  });
});

describe("errors", () => {
  it("are UNAVAILABLE with the words of the mesh while there is no instance, and say what was meant", async () => {
    const client = clientOf(meshOf({ greeterr: 9 }));
    const error = await errorOf(greet(client, "x"));
    expect(error.code).toBe(grpc.status.UNAVAILABLE);
    expect(error.details).toContain('"greeter"');
    expect(error.details).toContain("greeterr");
    expect(grpcDetails(error)).toEqual({ service: "greeter", instance: undefined, maybeExecuted: false, attempts: [] });
  });

  it.each([
    ["PROTOCOL_ERROR", http2.constants.NGHTTP2_PROTOCOL_ERROR, grpc.status.INTERNAL],
    ["CANCEL", http2.constants.NGHTTP2_CANCEL, grpc.status.CANCELLED],
    ["ENHANCE_YOUR_CALM", http2.constants.NGHTTP2_ENHANCE_YOUR_CALM, grpc.status.RESOURCE_EXHAUSTED],
  ])("have the status of a stream that was reset with %s after a message", async (_name, code, status) => {
    const { port } = await startPeer((stream) => {
      // Otherwise Node.js ends the content before it resets the stream.
      stream.respond(head, { waitForTrailers: true });
      stream.write(frame("1"));
      setTimeout(() => stream.close(code), 50);
    });
    const client = clientOf(meshOf({ greeter: port }));
    const stream = client.count("2");
    const heard: string[] = [];
    const error = await new Promise<grpc.ServiceError>((resolve) => {
      stream.on("data", (message: string) => heard.push(message));
      stream.on("error", (thrown: grpc.ServiceError) => resolve(thrown));
    });
    expect(heard).toEqual(["1"]);
    expect(error.code).toBe(status);
    expect(error.details).toContain(`127.0.0.1:${port}`);
    expect(grpcDetails(error)).toMatchObject({ service: "greeter", instance: `127.0.0.1:${port}`, maybeExecuted: true });
  });

  it("come behind the messages that came before them, however slowly these are read", async () => {
    const { port } = await startPeer((stream) =>
      answerWith(stream, Buffer.concat(["1", "2", "3", "4"].map((each) => frame(each))), {
        "grpc-status": "14",
        "grpc-message": "gone%20now",
      }),
    );
    const client = clientOf(meshOf({ greeter: port }));
    const heard: string[] = [];
    const stream = client.count("4");
    const read = async () => {
      for await (const message of stream) {
        heard.push(message as string);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    expect(await errorOf(read())).toMatchObject({ code: grpc.status.UNAVAILABLE, details: "gone now" });
    expect(heard).toEqual(["1", "2", "3", "4"]);
  });
});
