// Clients of others with `fetch: mesh.fetch`, or over the global dispatcher where they take no fetch: whole calls, on real connections.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { FetchHttpHandler } from "@smithy/fetch-http-handler";
import { HttpRequest } from "@smithy/protocol-http";
import { createTRPCClient, httpBatchLink, httpLink, splitLink } from "@trpc/client";
import { initTRPC } from "@trpc/server";
import { createHTTPHandler } from "@trpc/server/adapters/standalone";
import axios from "axios";
import ky from "ky";
import { createFetch } from "ofetch";
import OpenAI from "openai";
import createClient from "openapi-fetch";
import { getGlobalDispatcher, setGlobalDispatcher } from "undici";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { Mesh } from "../../src/mesh/mesh.ts";
import { meshOf } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { listening } from "../support/servers.ts";

let mesh: Mesh;
let refusals: number;
let aborted: number;

/** An API of which each answer says what has arrived; `/flaky` refuses each first request, and says that it has done nothing. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("error", () => {});
  request.on("end", () => {
    const path = request.url?.split("?")[0];
    response.on("close", () => void (response.writableFinished || aborted++));
    if (path === "/flaky" && refusals++ % 2 === 0) return void response.writeHead(503, { "x-mesh-refused": "1" }).end();
    if (path === "/silent") return;
    if (path === "/moved") return void response.writeHead(307, { location: "/there" }).end();
    if (path === "/events" || path?.endsWith("/completions")) {
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (const content of ["one", "two"]) response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`);
      return void response.end("data: [DONE]\n\n");
    }
    const body = Buffer.concat(chunks).toString();
    const { "content-length": length, "content-type": type = "" } = request.headers;
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ method: request.method, path, length, type: type.split(";")[0], body }));
  });
}

beforeEach(async () => {
  refusals = 0;
  aborted = 0;
  mesh = meshOf({ api: await listening(createServer(answer)) }, { retry: { budget: { minRetriesPerSecond: 100 } } });
});

const json = { name: "Ada" };
const text = JSON.stringify(json);
const posted = { method: "POST", length: String(text.length), type: "application/json", body: text };

/** A client's way to make each kind of call; each resolves with what the API says has arrived. */
interface Client {
  get(path: string): Promise<unknown>;
  post(path: string): Promise<unknown>;
  form(path: string, form: FormData): Promise<unknown>;
  abort(path: string, signal: AbortSignal): Promise<unknown>;
  stream(path: string): Promise<string>;
}

const url = (path: string) => `http://api${path}`;
const clients: Readonly<Record<string, () => Client>> = {
  ky: () => {
    const client = ky.create({ fetch: mesh.fetch, retry: 0 });
    return {
      get: (path) => client.get(url(path)).json(),
      post: (path) => client.post(url(path), { json }).json(),
      form: (path, body) => client.post(url(path), { body }).json(),
      abort: (path, signal) => client.get(url(path), { signal }).text(),
      stream: async (path) => textOf(await client.get(url(path))),
    };
  },
  ofetch: () => {
    const client = createFetch({ fetch: mesh.fetch }).create({ retry: 0 });
    return {
      get: (path) => client(url(path)),
      post: (path) => client(url(path), { method: "POST", body: json }),
      form: (path, body) => client(url(path), { method: "POST", body }),
      abort: (path, signal) => client(url(path), { signal }),
      stream: async (path) => textOf(await client.raw(url(path), { responseType: "stream" }), "_data"),
    };
  },
  "openapi-fetch": () => {
    type Paths = Record<string, Record<"get" | "post", { responses: { 200: { content: { "application/json": unknown } } } }>>;
    const client = createClient<Paths>({ baseUrl: "http://api", fetch: mesh.fetch });
    const untyped = client as unknown as Record<
      "GET" | "POST",
      (path: string, init: object) => Promise<{ data?: unknown; error?: unknown; response: Response }>
    >;
    const dataOf = async (call: Promise<{ data?: unknown; response: Response }>) => (await call).data;
    return {
      get: (path) => dataOf(untyped.GET(path, {})),
      post: (path) => dataOf(untyped.POST(path, { body: json })),
      form: (path, body) => dataOf(untyped.POST(path, { body })),
      abort: (path, signal) => dataOf(untyped.GET(path, { signal })),
      stream: async (path) => textOf((await untyped.GET(path, { parseAs: "stream" })).response),
    };
  },
  "axios with its fetch adapter": () => {
    const client = axios.create({ adapter: "fetch", env: { fetch: mesh.fetch, Request, Response } } as never);
    return {
      get: (path) => client.get(url(path)).then(({ data }) => data),
      post: (path) => client.post(url(path), json).then(({ data }) => data),
      // axios leaves its own content type on a form, with Node's fetch too.
      form: (path, body) => client.post(url(path), body, { headers: { "content-type": false } }).then(({ data }) => data),
      abort: (path, signal) => client.get(url(path), { signal }),
      stream: async (path) => textOf((await client.get(url(path), { responseType: "stream" })) as never, "data"),
    };
  },
};

async function textOf(response: object, key = "body"): Promise<string> {
  const stream = (response as Record<string, unknown>)[key] as ReadableStream<Uint8Array>;
  let all = "";
  for await (const chunk of stream) all += Buffer.from(chunk).toString();
  return all;
}

describe.each(Object.entries(clients))("%s over mesh.fetch", (_name, make) => {
  it("gets, and posts with a length", async () => {
    expect(await make().get("/x")).toMatchObject({ method: "GET", path: "/x" });
    expect(await make().post("/x")).toMatchObject({ ...posted, path: "/x" });
  });

  it("has its refused requests sent again, also those with a body", async () => {
    expect(await make().get("/flaky")).toMatchObject({ path: "/flaky" });
    expect(await make().post("/flaky")).toMatchObject({ ...posted, path: "/flaky" });
    expect(refusals).toBe(4);
  });

  it("sends a form with its length", async () => {
    const form = new FormData();
    form.append("file", new File(["content"], "a.txt"));
    const { body, length, type } = (await make().form("/x", form)) as Record<"body" | "length" | "type", string>;
    expect(type).toBe("multipart/form-data");
    expect(Number(length)).toBe(Buffer.byteLength(body));
    expect(body).toContain("content");
  });

  it("aborts", async () => {
    const controller = new AbortController();
    const call = rejectionOf(make().abort("/silent", controller.signal));
    setTimeout(() => controller.abort(), 30);
    expect(await call).toBeInstanceOf(Error);
  });

  it("reads a stream of events", async () => {
    expect((await make().stream("/events")).match(/one|two|DONE/g)).toEqual(["one", "two", "DONE"]);
  });
});

describe.each(Object.entries(clients).filter(([name]) => name === "ky" || name === "openapi-fetch"))(
  "%s, which makes a Request",
  (_name, make) => {
    it("has redirects within the service followed", async () => {
      expect(await make().get("/moved")).toMatchObject({ method: "GET", path: "/there" });
      expect(await make().post("/moved")).toMatchObject({ ...posted, path: "/there" });
    });
  },
);

describe("openai over mesh.fetch", () => {
  const client = () => new OpenAI({ apiKey: "none", baseURL: "http://api/v1", fetch: mesh.fetch, maxRetries: 0 });

  it("gets and posts", async () => {
    expect(await client().get("/models")).toMatchObject({ method: "GET", path: "/v1/models" });
    expect(await client().post("/things", { body: json })).toMatchObject({ ...posted, path: "/v1/things" });
  });

  it("reads a completion as it comes, and may stop", async () => {
    const start = () => client().chat.completions.create({ model: "m", messages: [{ role: "user", content: "hello" }], stream: true });
    const parts: (string | null | undefined)[] = [];
    for await (const part of await start()) parts.push(part.choices[0]?.delta.content);
    expect(parts).toEqual(["one", "two"]);
    for await (const _part of await start()) break;
    await mesh.close();
    expect(mesh.explain("api")?.endpoints[0]?.inFlight ?? 0).toBe(0);
  });

  it("uploads a file", async () => {
    const file = new File(["content"], "a.jsonl");
    expect(await client().files.create({ file, purpose: "batch" })).toMatchObject({ path: "/v1/files", type: "multipart/form-data" });
  });
});

describe("tRPC over mesh.fetch", () => {
  const t = initTRPC.create();
  let calls = 0;
  const router = t.router({
    greet: t.procedure.input((value) => value as string).query(({ input }) => `hello ${input}`),
    save: t.procedure.input((value) => value as { name: string }).mutation(({ input }) => ({ saved: input.name, calls: ++calls })),
  });

  it("queries in batches, mutates and aborts", async () => {
    const port = await listening(createServer(createHTTPHandler({ router })));
    const over = meshOf({ rpc: port });
    const options = { url: "http://rpc", fetch: over.fetch };
    const client = createTRPCClient<typeof router>({
      links: [splitLink({ condition: ({ type }) => type === "mutation", true: httpLink(options), false: httpBatchLink(options) })],
    });
    expect(await Promise.all([client.greet.query("Ada"), client.greet.query("Bob")])).toEqual(["hello Ada", "hello Bob"]);
    expect(await client.save.mutate({ name: "Ada" })).toMatchObject({ saved: "Ada" });
    expect(await rejectionOf(client.greet.query("Ada", { signal: AbortSignal.abort() }))).toBeInstanceOf(Error);
  });
});

describe("the AWS SDK's handler, which takes no fetch, over the global dispatcher", () => {
  it("gets and posts", async () => {
    const before = getGlobalDispatcher();
    setGlobalDispatcher(mesh.dispatcher());
    onTestFinished(() => setGlobalDispatcher(before));
    const handler = new FetchHttpHandler();
    const send = async (parts: object) => {
      const { response } = await handler.handle(new HttpRequest({ protocol: "http:", hostname: "api", path: "/flaky", ...parts }) as never);
      return JSON.parse(await new Response(response.body as ReadableStream).text()) as unknown;
    };
    expect(await send({ method: "GET" })).toMatchObject({ path: "/flaky" });
    expect(await send({ method: "POST", body: text, headers: { "content-type": "application/json" } })).toMatchObject(posted);
    expect(refusals).toBe(4);
  });
});
