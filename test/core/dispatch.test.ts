import { describe, expect, it } from "vitest";
import { localResponse } from "../../src/core/buffered-body.ts";
import { compose, type Interceptor } from "../../src/core/dispatch.ts";
import { isReplayable } from "../../src/core/http/body.ts";
import { headerOf } from "../../src/core/http/response-headers.ts";
import { testRequest } from "../../src/testing/request.ts";

describe("compose", () => {
  it("makes the first interceptor the outermost", async () => {
    const order: string[] = [];
    const named =
      (name: string): Interceptor =>
      (next) =>
      async (request) => {
        order.push(`${name} in`);
        const response = await next(request);
        order.push(`${name} out`);
        return response;
      };
    const dispatch = compose([named("a"), named("b")], async () => {
      order.push("wire");
      return localResponse(200);
    });
    expect((await dispatch(testRequest())).status).toBe(200);
    expect(order).toEqual(["a in", "b in", "wire", "b out", "a out"]);
  });

  it("composes once, not for every request", async () => {
    let composed = 0;
    const dispatch = compose(
      [
        (next) => {
          composed++;
          return next;
        },
      ],
      async () => localResponse(204),
    );
    await dispatch(testRequest());
    await dispatch(testRequest());
    expect(composed).toBe(1);
  });
});

describe("headerOf", () => {
  it("gives the first value of a name, and never takes a value for a name", () => {
    const response = { headers: ["x", "server", "server", "one", "server", "two"] };
    expect([headerOf(response, "server"), headerOf(response, "one"), headerOf(response, "absent")]).toEqual(["one", undefined, undefined]);
  });
});

describe("localResponse", () => {
  it("lower-cases names, takes __proto__ for a name and reads back as it was given", async () => {
    const response = localResponse(418, "tëa", JSON.parse('{"X-A":"1","__proto__":"2"}') as Record<string, string>);
    expect([headerOf(response, "x-a"), headerOf(response, "__proto__")]).toEqual(["1", "2"]);
    expect(await response.body.text()).toBe("tëa");
    await expect(response.body.bytes()).rejects.toThrow(TypeError);
  });

  it("streams its bytes and closes at once", async () => {
    const { body } = localResponse(200, Uint8Array.of(1, 2, 3));
    const closed: unknown[] = [];
    body.onClose((error) => closed.push(error));
    expect(closed).toEqual([undefined]);
    expect(await chunksOf(body.stream())).toEqual([Uint8Array.of(1, 2, 3)]);
    expect(() => body.stream()).toThrow(TypeError);
    expect(await chunksOf(localResponse(200).body.stream())).toEqual([]);
  });

  it("can't be read after it was given up", async () => {
    const discarded = localResponse(200, "x").body;
    discarded.discard();
    const cancelled = localResponse(200, "x").body;
    cancelled.cancel();
    await expect(discarded.text()).rejects.toThrow("already been read");
    await expect(cancelled.text()).rejects.toThrow("already been read");
  });
});

describe("isReplayable", () => {
  it("holds for everything but a stream", () => {
    const stream = (async function* () {})();
    expect([undefined, "", "text", new Uint8Array(1), new Blob(["x"]), () => stream].map(isReplayable)).not.toContain(false);
    expect(isReplayable(stream)).toBe(false);
    expect(isReplayable(new ReadableStream() as unknown as AsyncIterable<Uint8Array>)).toBe(false);
  });
});

async function chunksOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}
