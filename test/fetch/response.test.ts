import type { RequestListener } from "node:http";
import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { localResponse } from "../../src/core/buffered-body.ts";
import { closing, meshOf } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { serve } from "../support/servers.ts";
import { until } from "../support/until.ts";

const bytes = Buffer.from(Array.from({ length: 700 }, (_, index) => index % 256));
const multipart = "--b\r\ncontent-disposition: form-data; name=a\r\n\r\n1\r\n--b--\r\n";

/** Responses that a server may send. */
const answers: Readonly<Record<string, RequestListener>> = {
  "plain text": (_q, r) => r.writeHead(200, { "content-type": "text/plain; charset=utf-8" }).end("h\u00e9llo"),
  json: (_q, r) => r.writeHead(200, { "content-type": "application/json" }).end('{"a":[1,"\u00e4"]}'),
  "json with a byte order mark": (_q, r) => r.end('\ufeff{"a":1}'),
  "broken json": (_q, r) => r.end('{"a":'),
  nothing: (_q, r) => r.end(),
  "nothing, chunked": (_q, r) => {
    r.flushHeaders();
    r.end();
  },
  "a byte order mark": (_q, r) => r.end("\ufeffab\ufeff"),
  "only a byte order mark": (_q, r) => r.end("\ufeff"),
  "invalid UTF-8": (_q, r) => r.end(Buffer.from([0x61, 0xff, 0xc3, 0x28, 0xe2, 0x82, 0x41, 0xf0, 0x9f, 0x92])),
  binary: (_q, r) => r.writeHead(200, { "content-type": "application/octet-stream" }).end(bytes),
  "in pieces": (_q, r) => {
    for (let at = 0; at < bytes.length; at += 100) r.write(bytes.subarray(at, at + 100));
    r.end();
  },
  "a character in two pieces": (_q, r) => {
    r.write(Buffer.from([0xe2, 0x82]));
    setTimeout(() => r.end(Buffer.from([0xac])), 5);
  },
  created: (_q, r) => r.writeHead(201, "Made It", { location: "/x" }).end("done"),
  "a status text beyond ASCII": (_q, r) => r.writeHead(200, "caf\u00e9").end("x"),
  "no status text": (_q, r) => r.writeHead(200, " ").end("x"),
  "several cookies": (_q, r) =>
    r
      .writeHead(
        200,
        [
          ["set-cookie", "a=1; Path=/"],
          ["Set-Cookie", "b=2, c"],
          ["x-a", "1"],
          ["X-A", "2"],
        ].flat(),
      )
      .end("x"),
  "latin1 values": (_q, r) => r.writeHead(200, { "x-a": "caf\u00e9 \u00a0\u00ff" }).end("x"),
  "an empty value": (_q, r) => r.writeHead(200, { "x-a": "", "x-b": "  b" }).end("x"),
  "names of object members": (_q, r) => r.writeHead(200, ["__proto__", "a", "constructor", "b"]).end("x"),
  "no content": (_q, r) => r.writeHead(204).end(),
  "not modified": (_q, r) => r.writeHead(304, { etag: '"a"' }).end(),
  "reset content": (_q, r) => r.writeHead(205, { "content-length": "0" }).end(),
  "not found": (_q, r) => r.writeHead(404, { "content-type": "text/html" }).end("<p>"),
  "a failure": (_q, r) => r.writeHead(500).end("boom"),
  "an unknown status": (_q, r) => r.writeHead(599).end("x"),
  "a form": (_q, r) => r.writeHead(200, { "content-type": "multipart/form-data; boundary=b" }).end(multipart),
  "a url-encoded form": (_q, r) => r.writeHead(200, { "content-type": "application/x-www-form-urlencoded" }).end("a=1&b=%20"),
  "no form": (_q, r) => r.writeHead(200, { "content-type": "text/plain" }).end("a=1"),
  "an odd content type": (_q, r) => r.writeHead(200, { "content-type": 'Text/HTML;Charset="UTF-8"; x' }).end("x"),
  "two content types": (_q, r) => r.writeHead(200, ["content-type", "text/plain", "content-type", "text/html"]).end("x"),
};

const readers: Readonly<Record<string, (response: Response) => Promise<unknown>>> = {
  text: (response) => response.text(),
  json: (response) => response.json(),
  bytes: async (response) => Buffer.from(await response.bytes()).toString("hex"),
  arrayBuffer: async (response) => Buffer.from(await response.arrayBuffer()).toString("hex"),
  blob: async (response) => {
    const blob = await response.blob();
    return [blob.type, blob.size, await blob.text(), blob.constructor.name];
  },
  formData: async (response) => [...(await response.formData())],
  "the stream": async (response) => {
    if (response.body === null) return null;
    const parts: Uint8Array[] = [];
    for await (const part of response.body) parts.push(part);
    return Buffer.concat(parts).toString("hex");
  },
  "the stream, by text": async (response) => {
    void response.body;
    return response.text();
  },
  "the stream, by blob": async (response) => {
    void response.body;
    const blob = await response.blob();
    return [blob.type, await blob.text()];
  },
  "a clone and itself": async (response) => {
    const copy = response.clone();
    const copyOfCopy = copy.clone();
    return [await response.text(), await copy.text(), await copyOfCopy.text(), headOf(copyOfCopy)];
  },
  "a response around it": async (response) => {
    const around = new Response(response.body, response);
    return [headOf(around, false), await around.text(), response.bodyUsed];
  },
};

/** Everything of a response that can be seen without reading it. */
function headOf(response: Response, isWhole = true): unknown {
  const { status, statusText, ok, redirected, bodyUsed, headers, body } = response;
  const kept = [...headers].filter(([name]) => !["date", "connection", "keep-alive"].includes(name));
  return [status, statusText, ok, redirected, bodyUsed, kept, headers.getSetCookie(), isWhole && body === null, String(response)];
}

async function outcomeOf(response: Response, read: (response: Response) => Promise<unknown>): Promise<unknown> {
  const before = headOf(response, false);
  const first = await read(response).then(
    (value) => ({ value }),
    (error: Error) => ({ failed: error.name }),
  );
  const used = response.bodyUsed;
  const again = await response.text().then(
    (value) => ({ value }),
    (error: Error) => ({ failed: error.name }),
  );
  const clone = (() => {
    try {
      response.clone();
      return "cloned";
    } catch (error) {
      return (error as Error).name;
    }
  })();
  const { body } = response;
  return { before, first, used, again, clone, hasBody: body !== null, isLocked: body?.locked, isUsedAtLast: response.bodyUsed };
}

describe("the Response of mesh.fetch beside that of Node's fetch", () => {
  for (const [answer, listener] of Object.entries(answers)) {
    it(`is the same for an answer with ${answer}`, async () => {
      const server = await serve(listener);
      const mesh = meshOf({ orders: server.port });
      for (const [name, read] of Object.entries(readers)) {
        for (const method of ["GET", "HEAD", "POST"]) {
          const theirs = await outcomeOf(await fetch(`http://127.0.0.1:${server.port}/x`, { method, redirect: "manual" }), read);
          const ours = await outcomeOf(await mesh.fetch("orders/x", { method }), read);
          expect(ours, `${method}, read by ${name}`).toEqual(theirs);
        }
      }
    });
  }
});

describe("the Response of mesh.fetch", () => {
  it("is a Response with the URL that was asked for", async () => {
    const server = await serve((_q, r) => r.end("x"));
    const response = await meshOf({ Orders: server.port }).fetch("Orders/a?b=c#d");
    expect(response).toBeInstanceOf(Response);
    expect(Object.prototype.toString.call(response)).toBe("[object Response]");
    expect(response.url).toBe("http://Orders/a?b=c");
    expect(response.type).toBe("basic");
  });

  it("decodes text as TextDecoder does, whatever the bytes and their pieces", async () => {
    let pieces: readonly Uint8Array[] = [];
    const server = await serve((_q, r) => {
      for (const piece of pieces) r.write(piece);
      r.end();
    });
    const mesh = meshOf({ orders: server.port });
    const byte = fc.oneof(
      fc.integer({ min: 0, max: 255 }),
      fc.constantFrom(0xef, 0xbb, 0xbf, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0xed, 0xa0, 0x80, 0xc0),
    );
    const piece = fc.array(byte, { minLength: 1, maxLength: 12 }).map((array) => Uint8Array.from(array));
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 4 }), async (given) => {
        pieces = given;
        const expected = new TextDecoder().decode(Buffer.concat(given));
        expect(await (await mesh.fetch("orders/x")).text()).toBe(expected);
      }),
      { numRuns: 300 },
    );
  });

  it("rejects a second read, also one that begins before the first has ended", async () => {
    const server = await serve((_q, r) => r.end("text"));
    const mesh = meshOf({ orders: server.port });
    const response = await mesh.fetch("orders/x");
    const [first, second] = await Promise.allSettled([response.text(), response.json()]);
    expect(first).toEqual({ status: "fulfilled", value: "text" });
    expect(second).toMatchObject({ status: "rejected", reason: expect.any(TypeError) });
    for (const read of [response.text, response.json, response.bytes, response.arrayBuffer, response.blob, response.formData]) {
      expect(await rejectionOf(read.call(response))).toBeInstanceOf(TypeError);
    }
    expect(() => response.clone()).toThrow(TypeError);
  });

  it("has a stream whose reader may bring its own buffer", async () => {
    const server = await serve((_q, r) => r.end(bytes));
    const mesh = meshOf({ orders: server.port });
    const { body } = await mesh.fetch("orders/x");
    const reader = (body as ReadableStream<Uint8Array>).getReader({ mode: "byob" });
    const parts: number[] = [];
    for (;;) {
      const { value, done } = await reader.read(new Uint8Array(64));
      if (done) break;
      parts.push(...value);
    }
    expect(Buffer.compare(Buffer.from(parts), bytes)).toBe(0);
  });

  it("serves reads that wait side by side", async () => {
    const server = await serve((_q, r) => {
      r.write("a");
      setTimeout(() => r.write("b"), 10);
      setTimeout(() => r.end("c"), 20);
    });
    const { body } = await meshOf({ orders: server.port }).fetch("orders/x");
    const reader = (body as ReadableStream<Uint8Array>).getReader();
    const reads = await Promise.all([reader.read(), reader.read(), reader.read(), reader.read()]);
    expect(reads.map(({ value }) => value && Buffer.from(value).toString())).toEqual(["a", "b", "c", undefined]);
  });

  it("lets go of the call when the body ends inside an element that its reader asked for", async () => {
    const server = await serve((_q, r) => {
      r.write("ab");
      setTimeout(() => r.end("c"), 10);
    });
    const mesh = meshOf({ orders: server.port });
    const { body } = await mesh.fetch("orders/x");
    const reader = (body as ReadableStream<Uint8Array>).getReader({ mode: "byob" });
    expect((await reader.read(new Uint16Array(4) as never)).value).toHaveLength(1);
    await rejectionOf(reader.read(new Uint16Array(4) as never).then(() => reader.read(new Uint16Array(4) as never)));
    await until("the call is over", () => mesh.explain("orders")?.endpoints[0]?.inFlight === 0);
    expect((await (await mesh.fetch("orders/x")).text()).length).toBe(3);
  });

  it("holds back a server that is faster than the reader", async () => {
    const total = 64 * 1024 * 1024;
    const chunk = Buffer.alloc(64 * 1024, "x");
    let written = 0;
    const server = await serve((_q, r) => {
      const write = () => {
        while (written < total) {
          written += chunk.length;
          if (!r.write(chunk)) {
            r.once("drain", write);
            return;
          }
        }
        r.end();
      };
      write();
    });
    const mesh = meshOf({ orders: server.port });
    const { body } = await mesh.fetch("orders/x");
    let read = 0;
    let ahead = 0;
    for await (const part of body as ReadableStream<Uint8Array>) {
      read += part.byteLength;
      ahead = Math.max(ahead, written - read);
      // A turn of the loop for the server: it writes as much as it may.
      if (read < 8 * 1024 * 1024) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(read).toBe(total);
    // What is ahead of the reader is in buffers, those of the kernel included; without backpressure it is all of it.
    expect(ahead).toBeLessThan(24 * 1024 * 1024);
  });

  it("holds back a server whose response is not read, before and after the stream is asked for", async () => {
    const chunk = Buffer.alloc(1024 * 1024, "x");
    let written = 0;
    const server = await serve((_q, r) => {
      const write = () => {
        if (r.destroyed) return;
        do written += chunk.length;
        while (r.write(chunk));
        r.once("drain", write);
      };
      write();
    });
    const mesh = meshOf({ orders: server.port });
    const response = await mesh.fetch("orders/x");
    const settled = async () => {
      let before = -1;
      await until("the server stops writing", async () => {
        const isStill = written === before;
        before = written;
        await new Promise((resolve) => setTimeout(resolve, 50));
        return isStill && written === before;
      });
    };
    await settled();
    expect(written).toBeLessThan(32 * 1024 * 1024);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    await settled();
    expect(written).toBeLessThan(32 * 1024 * 1024);
    await reader.cancel();
    await until("the connection is closed", () => server.abandoned === 1);
  });

  it("closes the connection when its stream is cancelled, which is no failure of the instance", async () => {
    const server = await serve((_q, r) => void r.write("begin"));
    const ends: unknown[] = [];
    const mesh = meshOf({ orders: server.port }, { observers: [{ onCall: () => ({ onEnd: (end) => ends.push(end) }) }] });
    const ways: readonly ((response: Response) => unknown)[] = [
      (response) => response.body?.cancel(),
      (response) => response.body?.cancel("reason"),
      (response) => Promise.all([response.clone().body?.cancel(), response.body?.cancel()]),
      async (response) => {
        for await (const _part of response.body as ReadableStream) break;
      },
    ];
    for (const [index, cancel] of ways.entries()) {
      await cancel(await mesh.fetch("orders/x"));
      await until("the connection is closed", () => server.abandoned === index + 1);
    }
    expect(mesh.explain("orders")?.endpoints[0]).toMatchObject({ failures: 0, inFlight: 0, state: "available", attempts: 4 });
    expect(ends).toMatchObject(Array(4).fill({ status: 200, cancelled: true }));
  });

  it("is let go when its status has no body although the server sends one", async () => {
    const server = await serve((_q, r) => r.writeHead(205, { "content-length": String(1_000_000) }).end(Buffer.alloc(1_000_000)));
    const mesh = meshOf({ orders: server.port });
    const response = await mesh.fetch("orders/x");
    expect([response.status, response.body, await response.text()]).toEqual([205, null, ""]);
    await until("the call is over", () => mesh.explain("orders")?.endpoints[0]?.inFlight === 0);
  });

  it("shows itself to util.inspect without being read", async () => {
    const server = await serve((_q, r) => r.writeHead(200, { "x-a": "1" }).end("text"));
    const response = await meshOf({ orders: server.port }).fetch("orders/x");
    const shown = inspect(response);
    for (const part of ["Response", "status: 200", "statusText: 'OK'", "ok: true", "http://orders/x", "bodyUsed: false", "'x-a': '1'"])
      expect(shown).toContain(part);
    expect(inspect({ a: { b: response } }, { depth: 0 })).toContain("Object");
    expect(await response.text()).toBe("text");
  });

  it("has headers that are the caller's own to read", async () => {
    const server = await serve((_q, r) => r.writeHead(200, { "x-a": "1" }).end("text"));
    const response = await meshOf({ orders: server.port }).fetch("orders/x");
    expect(response.headers).toBe(response.headers);
    expect(response.headers).toBeInstanceOf(Headers);
    const copy = response.clone();
    expect(copy.headers).not.toBe(response.headers);
    expect([...copy.headers]).toEqual([...response.headers]);
  });

  it("may come from an interceptor", async () => {
    const mesh = closing(
      meshOf({ orders: 1 }, { interceptors: [() => async () => localResponse(203, "\ufeffl\u00f6cal", { "X-A": "1" })] }),
    );
    const response = await mesh.fetch("orders/x");
    expect([response.status, response.headers.get("x-a"), await response.clone().text(), await response.text()]).toEqual([
      203,
      "1",
      "l\u00f6cal",
      "l\u00f6cal",
    ]);
    const { body } = await mesh.fetch("orders/x");
    const reader = (body as ReadableStream<Uint8Array>).getReader({ mode: "byob" });
    expect((await reader.read(new Uint8Array(4))).value).toHaveLength(4);
    expect(await (await mesh.fetch("orders/x", { method: "HEAD" })).text()).toBe("");
  });
});
