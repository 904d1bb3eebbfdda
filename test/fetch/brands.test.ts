// Values of classes that are not those of this realm: of a test environment, of a second copy of a package, of node:vm.
import { runInNewContext } from "node:vm";
import { beforeEach, describe, expect, it } from "vitest";
import type { Mesh } from "../../src/mesh/mesh.ts";
import { meshOf } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { type SeenRequest, serve, type TestServer } from "../support/servers.ts";

let server: TestServer;
let mesh: Mesh;

beforeEach(async () => {
  server = await serve();
  mesh = meshOf({ orders: server.port });
});

async function sent(init: object, target: unknown = "orders/x"): Promise<SeenRequest> {
  expect((await mesh.fetch(target as string, { method: "POST", ...init })).status).toBe(200);
  return server.seen.at(-1) as SeenRequest;
}

class ForeignUrl {
  readonly [Symbol.toStringTag] = "URL";
  readonly href = "http://orders/x?y";
}

class ForeignParams {
  readonly [Symbol.toStringTag] = "URLSearchParams";
  toString(): string {
    return "a=b";
  }
}

class ForeignBlob {
  readonly [Symbol.toStringTag] = "File";
  readonly type = "text/csv";
  readonly name = "a.csv";
  readonly #text: string;
  constructor(text: string) {
    this.#text = text;
  }
  get size(): number {
    return this.#text.length;
  }
  stream() {
    return new Blob([this.#text]).stream();
  }
}

class ForeignForm {
  readonly [Symbol.toStringTag] = "FormData";
  *[Symbol.iterator](): Generator<[string, unknown]> {
    yield ["a", "b"];
    yield ["file", new ForeignBlob("x,y")];
  }
}

/** As libraries had it before headers could be iterated. */
class ForeignHeaders {
  readonly #values = new Map([["x-a", "1"]]);
  forEach(each: (value: string, name: string) => void): void {
    this.#values.forEach(each);
  }
}

class ForeignStream {
  readonly #inner = new Blob(["text"]).stream();
  readonly [Symbol.toStringTag] = "ReadableStream";
  readonly locked = false;
  getReader() {
    return this.#inner.getReader();
  }
  cancel() {
    return this.#inner.cancel();
  }
}

class ForeignSignal extends EventTarget {
  readonly [Symbol.toStringTag] = "AbortSignal";
  aborted = false;
  reason: unknown = undefined;
}

describe("a value of another realm", () => {
  it.each<[string, unknown, string]>([
    ["a Uint8Array", "Uint8Array.of(97, 98)", "ab"],
    ["an ArrayBuffer", "Uint8Array.of(97, 98).buffer", "ab"],
    ["a DataView", "new DataView(Uint8Array.of(97, 98).buffer, 1)", "b"],
    ["a generator", "(async function* () { yield 'a'; yield Uint8Array.of(98) })()", "ab"],
    ["a function", "async function* made() { yield 'ab' }; made", "ab"],
  ])("is sent as body: %s", async (_what, code, text) => {
    const body = runInNewContext(code as string) as unknown;
    expect((await sent({ body, duplex: "half" })).body.toString()).toBe(text);
  });

  it("is taken for headers and init", async () => {
    const init = runInNewContext(`({ method: "PUT", headers: [["x-a", "1"]], mesh: { idempotent: true }, body: "text" })`) as object;
    expect(await sent(init)).toMatchObject({ method: "PUT", headers: { "x-a": "1" } });
    expect(await sent({ headers: runInNewContext(`new Map([["x-a", "2"]])`) })).toMatchObject({ headers: { "x-a": "2" } });
  });
});

describe("a value of another class", () => {
  it("is a target when it is a URL", async () => {
    expect(await sent({}, new ForeignUrl())).toMatchObject({ url: "/x?y" });
  });

  it.each<[string, () => unknown, string, string]>([
    ["URLSearchParams", () => new ForeignParams(), "a=b", "application/x-www-form-urlencoded;charset=UTF-8"],
    ["a Blob", () => new ForeignBlob("x,y"), "x,y", "text/csv"],
  ])("is sent as what it is: %s", async (_what, make, text, type) => {
    const { body, headers } = await sent({ body: make() });
    expect(body.toString()).toBe(text);
    expect(headers).toMatchObject({ "content-type": type, "content-length": "3" });
  });

  it("is sent as a stream", async () => {
    expect((await sent({ body: new ForeignStream(), duplex: "half" })).body.toString()).toBe("text");
  });

  it("is sent as a form with the length of its files, again and again", async () => {
    let answers = 0;
    const refusing = await serve(
      (_request, response) => void response.writeHead(answers++ === 0 ? 503 : 200, { "x-mesh-refused": "1" }).end(),
    );
    const retrying = meshOf({ orders: refusing.port });
    expect((await retrying.fetch("orders/x", { method: "POST", body: new ForeignForm() as never })).status).toBe(200);
    expect(refusing.seen).toHaveLength(2);
    for (const { headers, body } of refusing.seen) {
      expect(headers["content-length"]).toBe(String(body.byteLength));
      const form = await new Response(body, { headers: { "content-type": headers["content-type"] as string } }).formData();
      expect(form.get("a")).toBe("b");
      expect(await (form.get("file") as File).text()).toBe("x,y");
    }
  });

  it("loses no header", async () => {
    expect(await sent({ headers: new ForeignHeaders() })).toMatchObject({ headers: { "x-a": "1" } });
  });

  it("aborts a call", async () => {
    const signal = new ForeignSignal();
    const silent = await serve(() => {});
    const call = meshOf({ orders: silent.port }).fetch("orders/x", { signal: signal as never });
    signal.aborted = true;
    signal.reason = new Error("enough");
    signal.dispatchEvent(new Event("abort"));
    expect(await rejectionOf(call)).toBe(signal.reason);
  });
});

describe("bytes that have been transferred to somewhere else", () => {
  it("are refused in words that say so", async () => {
    const bytes = new Uint8Array(8);
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    for (const body of [bytes, bytes.buffer, new DataView(new ArrayBuffer(0))]) {
      if (body instanceof DataView) structuredClone(body.buffer, { transfer: [body.buffer as ArrayBuffer] });
    }
    for (const body of [bytes, bytes.buffer]) {
      const error = await rejectionOf(mesh.fetch("orders/x", { method: "POST", body }));
      expect(error).toBeInstanceOf(TypeError);
      expect(String(error)).toContain("transferred");
    }
    expect((await sent({ body: new Uint8Array() })).headers["content-length"]).toBe("0");
  });
});
