import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createMesh, type Mesh, staticDiscovery } from "../../src/index.ts";
import { closedPort } from "../support/servers.ts";
import { until } from "../support/until.ts";

// The Fetch standard's observable behaviour: each case is run with Node's fetch and with mesh.fetch on the same server and
// has to give the same. Where the mesh deviates on purpose, the case says what it gives instead.

/** A call as both sides understand it: a path instead of a target. */
type Call = (path: string, init?: object | null) => Promise<Response>;

interface Side {
  readonly call: Call;
  readonly request: (path: string, init?: RequestInit) => Request;
  readonly callWith: (input: Request | URL, init?: object) => Promise<Response>;
  readonly origin: string;
}

interface Case {
  readonly name: string;
  readonly run: (side: Side) => Promise<unknown>;
  /** What the mesh gives instead, and why. Noticed also when it has gone. */
  readonly deviation?: {
    readonly gives: unknown;
    readonly why: string;
    /** The first version of Node whose fetch does otherwise; earlier ones do as the mesh. Absent: all that are supported do otherwise. */
    readonly sinceNode?: number;
  };
}

let server: Server;
let mesh: Mesh;
let node: Side;
let inmesh: Side;

/** Connections that the client has ended before the server's answer did. */
const closedByClient = new Set<string>();

beforeAll(async () => {
  server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  // No retries, no breakers: the cases provoke failures, and what is compared is one request.
  mesh = createMesh({
    // What the mesh adds is listed in docs/reference/fetch.md.
    propagateDeadline: false,
    discovery: staticDiscovery({ echo: [{ host: "127.0.0.1", port }], nobody: [{ host: "127.0.0.1", port: await closedPort() }] }),
    retry: false,
    breaker: false,
    observers: [],
  });
  node = sideOf((input, init) => fetch(input, init as RequestInit), `http://127.0.0.1:${port}`);
  inmesh = sideOf((input, init) => mesh.fetch(input, init as never), "http://echo");
});

afterAll(async () => {
  await mesh.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function sideOf(call: (input: string | URL | Request, init?: object | null) => Promise<Response>, origin: string): Side {
  return {
    origin,
    call: (path, init) =>
      call(path === "nobody" ? origin.replace(/127.*|echo/, (it) => (it === "echo" ? "nobody" : "127.0.0.1:1")) : origin + path, init),
    callWith: call,
    request: (path, init) => new Request(origin + path, init),
  };
}

// --- the server ---

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [path = "", query = ""] = (request.url ?? "").split("?");
  const [, route = "", argument = ""] = path.split("/");
  switch (route) {
    case "echo":
      return echo(request, response);
    case "status":
      response.writeHead(Number(argument), query === "" ? undefined : decodeURIComponent(query), { "x-is": "here" });
      response.end(["204", "205", "304"].includes(argument) ? undefined : "content");
      return;
    case "redirect":
      response.writeHead(Number(argument), { location: "/echo" });
      response.end("moved");
      return;
    case "typed":
      response.writeHead(200, { "content-type": decodeURIComponent(query) });
      response.end(bodies[argument]);
      return;
    case "headers":
      response.writeHead(200, [
        "Set-Cookie",
        "a=1; Path=/",
        "X-Twice",
        "one",
        "x-twice",
        "two",
        "set-cookie",
        "b=2, c",
        "X-Latin",
        "caf\u00e9",
        "X-Empty",
        "",
      ]);
      response.end();
      return;
    case "gzip":
      response.writeHead(200, { "content-encoding": "gzip" });
      response.end(gzipSync("compressed"));
      return;
    case "hints":
      response.writeEarlyHints({ link: "</style.css>; rel=preload" }, () => response.end("after the hints"));
      return;
    case "trailers":
      response.writeHead(200, { trailer: "x-late" });
      response.write("body");
      response.addTrailers({ "x-late": "yes" });
      response.end();
      return;
    case "chunks":
      response.writeHead(200, { "content-type": "text/plain" });
      for (const chunk of ["one ", "two ", "three"]) response.write(chunk);
      response.end();
      return;
    case "hang":
      response.once("close", () => closedByClient.add(argument));
      if (query === "head") response.writeHead(200).write("begun");
      return;
    case "reset":
      if (query === "head") {
        response.writeHead(200, { "content-length": 100 }).write("begun", () => request.socket.destroy());
      } else request.socket.destroy();
      return;
    default:
      response.writeHead(404).end();
  }
}

async function echo(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { host: _, connection: _connection, ...headers } = request.headers;
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ method: request.method, url: request.url, headers, body: Buffer.concat(chunks).toString("latin1") }));
}

const bodies: Readonly<Record<string, Buffer>> = {
  text: Buffer.from("h\u00e9llo"),
  bom: Buffer.from("\ufeffmarked"),
  broken: Buffer.from([0x61, 0xff, 0x62]),
  json: Buffer.from('{"a":[1,2]}'),
  bomJson: Buffer.from('\ufeff{"a":1}'),
  noJson: Buffer.from("{"),
  form: Buffer.from("a=1&b=x%20y&a=2"),
  multipart: Buffer.from(
    '--B\r\nContent-Disposition: form-data; name="f"; filename="x.txt"\r\nContent-Type: text/x\r\n\r\nin it\r\n--B--\r\n',
  ),
  empty: Buffer.alloc(0),
};

// --- what can be observed ---

interface Echo {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

async function echoOf(response: Promise<Response>): Promise<Echo> {
  return (await (await response).json()) as Echo;
}

/** Headers that say what is meant by the request, without those by which a client presents itself. */
async function sent(response: Promise<Response>): Promise<Omit<Echo, "url">> {
  const { method, headers, body } = await echoOf(response);
  const presenting = ["accept", "accept-encoding", "accept-language", "sec-fetch-mode", "user-agent"];
  return { method, body, headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !presenting.includes(name))) };
}

function headOf(response: Response): unknown {
  const { status, statusText, ok, redirected } = response;
  const headers = [...response.headers].filter(([name]) => !["date", "connection", "keep-alive"].includes(name));
  return { status, statusText, ok, redirected, headers, hasBody: response.body !== null };
}

/** The outcome of a promise as data: of an error only the name, since the messages differ. */
async function outcome(run: () => unknown): Promise<unknown> {
  try {
    return { resolved: await run() };
  } catch (error) {
    return { rejected: nameOf(error) };
  }
}

/** `TypeError` for every kind of one. */
function nameOf(error: unknown): unknown {
  if (error instanceof TypeError) return "TypeError";
  return error instanceof Error ? error.name : error;
}

const rejectedWith = (rejected: unknown) => ({ rejected });
const reads = ["text", "json", "bytes", "arrayBuffer", "blob", "formData"] as const;

async function contentOf(response: Response, read: (typeof reads)[number]): Promise<unknown> {
  const value = await response[read]();
  if (value instanceof ArrayBuffer || value instanceof Uint8Array)
    return { [value.constructor.name]: Buffer.from(value as Uint8Array).toString("latin1") };
  if (value instanceof Blob) return { blob: await value.text(), type: value.type };
  if (!(value instanceof FormData)) return value;
  const entries = [...value].map(async ([name, entry]) => [
    name,
    typeof entry === "string" ? entry : [entry.name, entry.type, await entry.text()],
  ]);
  return Promise.all(entries);
}

// --- the cases ---

const methods: readonly Case[] = [
  ...["GET", "get", "Post", "pUT", "delete", "options", "PATCH", "Foo", "chicken"].map((method) => ({
    name: `sends the method ${method}`,
    // A method that Node's server does not know is answered with 400, which is no JSON.
    run: ({ call }: Side) => outcome(async () => (await echoOf(call("/echo", { method }))).method),
  })),
  {
    name: "sends the method patch",
    run: ({ call }) => outcome(async () => (await call("/echo", { method: "patch" })).status),
    deviation: { gives: { resolved: 200 }, why: "nearly every server refuses the lower-case one" },
  },
  ...["CONNECT", "trace", "TRACK", "", "a b", "G\u00cbT"].map((method) => ({
    name: `refuses the method ${JSON.stringify(method)}`,
    run: ({ call }: Side) => outcome(() => call("/echo", { method })),
  })),
  { name: "takes an undefined method for GET", run: async ({ call }) => (await echoOf(call("/echo", { method: undefined }))).method },
];

const requestHeaders: readonly Case[] = [
  { name: "sends headers of a record", run: ({ call }) => sent(call("/echo", { headers: { "X-One": "1", "x-two": "2" } })) },
  {
    name: "sends headers of pairs, repeated ones joined",
    run: ({ call }) =>
      sent(
        call("/echo", {
          headers: [
            ["X-A", "1"],
            ["x-a", "2"],
          ],
        }),
      ),
  },
  { name: "sends headers of a Headers", run: ({ call }) => sent(call("/echo", { headers: new Headers({ "x-a": "1", cookie: "a=b" }) })) },
  { name: "sends headers of a Map", run: ({ call }) => sent(call("/echo", { headers: new Map([["x-a", "1"]]) })) },
  { name: "takes white space off the ends of a value", run: ({ call }) => sent(call("/echo", { headers: { "x-a": "\r\n \t1 2\t \n" } })) },
  {
    name: "sends a value of Latin-1 as such",
    run: async ({ call }) => (await sent(call("/echo", { headers: { "x-a": "caf\u00e9" } }))).headers,
  },
  { name: "sends an empty value", run: ({ call }) => sent(call("/echo", { headers: { "x-a": "" } })) },
  { name: "turns a number into a value", run: ({ call }) => sent(call("/echo", { headers: { "x-a": 5 } })) },
  { name: "sends the header __proto__", run: ({ call }) => sent(call("/echo", { headers: [["__proto__", "1"]] })) },
  ...[
    { "a b": "1" },
    { "": "1" },
    { "x-a": "1\n2" },
    { "x-a": "\u0000" },
    { "x-a": "\u20ac" },
    { "caf\u00e9": "1" },
    [["one"]],
    [["1", "2", "3"]],
  ].map((headers) => ({
    name: `refuses the headers ${JSON.stringify(headers)}`,
    run: ({ call }: Side) => outcome(() => call("/echo", { headers })),
  })),
  {
    name: "takes undefined for no value",
    run: ({ call }) => sent(call("/echo", { headers: { "x-a": undefined } })),
    deviation: { gives: { method: "GET", headers: {}, body: "" }, why: "`undefined` as a value is never meant" },
  },
  {
    name: "presents itself",
    run: async ({ call }) => (await echoOf(call("/echo"))).headers,
    deviation: {
      gives: { accept: "*/*", "user-agent": "inmesh" },
      why: "accept-language and sec-fetch-mode are a browser's; compression is for the caller to ask for",
    },
  },
  {
    name: "lets the caller present itself",
    run: async ({ call }) => {
      const { accept, "user-agent": agent } = (await echoOf(call("/echo", { headers: { accept: "a/b", "user-agent": "me" } }))).headers;
      return { accept, agent };
    },
  },
  {
    name: "leaves out headers of one hop",
    run: async ({ call }) => (await sent(call("/echo", { headers: { "x-a": "1", te: "trailers" } }))).headers,
    deviation: { gives: { "x-a": "1" }, why: "the mesh sets them itself" },
  },
];

const bytes = Uint8Array.of(104, 105, 0, 255);
const streamOf = (...chunks: Uint8Array[]) =>
  new ReadableStream({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });

const requestBodies: readonly Case[] = [
  ...(
    [
      ["text", () => "h\u00e9llo"],
      ["text with a lone surrogate", () => "a\ud800b"],
      ["empty text", () => ""],
      ["bytes", () => bytes],
      ["part of a buffer", () => bytes.subarray(1, 3)],
      ["a DataView", () => new DataView(bytes.buffer, 1, 2)],
      ["a Uint16Array", () => Uint16Array.of(0x6968)],
      ["an ArrayBuffer", () => bytes.slice().buffer],
      ["a Blob with a type", () => new Blob(["blob"], { type: "text/x" })],
      ["a Blob without a type", () => new Blob([bytes])],
      ["URLSearchParams", () => new URLSearchParams({ a: "1 2", "\u00e9": "&" })],
      ["a stream", () => streamOf(bytes, bytes)],
      ["an empty stream", () => streamOf()],
      ["null", () => null],
      ["undefined", () => undefined],
    ] as const
  ).map(([what, body]) => ({
    name: `sends ${what}`,
    run: ({ call }: Side) => sent(call("/echo", { method: "POST", body: body(), duplex: "half" })),
  })),
  {
    name: "sends a form",
    run: async ({ call }) => {
      const form = new FormData();
      form.append("a", "1");
      form.append('q"\n', "line\nline");
      form.append("file", new Blob(["in it"], { type: "text/x" }), "n.txt");
      const { headers, body } = await sent(call("/echo", { method: "POST", body: form }));
      const boundary = /boundary=(.*)/.exec(headers["content-type"] ?? "")?.[1] ?? "none";
      return {
        body: body.replaceAll(boundary, "B"),
        type: headers["content-type"]?.replace(boundary, "B"),
        hasLength: "content-length" in headers,
      };
    },
  },
  { name: "sends PUT without a body", run: ({ call }) => sent(call("/echo", { method: "PUT" })) },
  { name: "sends DELETE without a body", run: ({ call }) => sent(call("/echo", { method: "DELETE" })) },
  { name: "sends DELETE with a body", run: ({ call }) => sent(call("/echo", { method: "DELETE", body: "x" })) },
  {
    name: "lets the caller say the content type",
    run: ({ call }) => sent(call("/echo", { method: "POST", body: "{}", headers: { "Content-Type": "application/json" } })),
  },
  { name: "refuses a body for GET", run: ({ call }) => outcome(() => call("/echo", { body: "x" })) },
  { name: "refuses an empty body for HEAD", run: ({ call }) => outcome(() => call("/echo", { method: "HEAD", body: "" })) },
  { name: "refuses a stream without duplex", run: ({ call }) => outcome(() => call("/echo", { method: "POST", body: streamOf(bytes) })) },
  {
    name: "refuses a locked stream",
    run: ({ call }) => {
      const body = streamOf(bytes);
      body.getReader();
      return outcome(() => call("/echo", { method: "POST", body, duplex: "half" }));
    },
  },
  {
    name: "sends a stream of text",
    run: ({ call }) => sent(call("/echo", { method: "POST", body: streamOf("text" as never), duplex: "half" })),
  },
  {
    name: "rejects when a stream fails",
    run: ({ call }) => {
      const body = new ReadableStream({ pull: (controller) => controller.error(new RangeError("mine")) });
      return outcome(() => call("/echo", { method: "POST", body, duplex: "half" }));
    },
    deviation: { gives: rejectedWith("MeshError"), why: "a network error is a MeshError" },
  },
  {
    name: "sends bytes whose buffer was transferred as none",
    run: ({ call }) => {
      const body = Uint8Array.from(bytes);
      body.buffer.transfer();
      return outcome(() => sent(call("/echo", { method: "POST", body })));
    },
    deviation: { gives: rejectedWith("TypeError"), why: "bytes that have gone are never meant", sinceNode: 24 },
  },
  {
    name: "takes a copy of bytes",
    run: ({ call }) => {
      const mine = Uint8Array.from(bytes);
      const response = call("/echo", { method: "POST", body: mine });
      mine.fill(0);
      return sent(response);
    },
  },
  {
    name: "turns any object into text",
    run: ({ call }) => outcome(async () => (await sent(call("/echo", { method: "POST", body: { a: 1 } }))).body),
    deviation: { gives: rejectedWith("TypeError"), why: "[object Object] is never meant" },
  },
];

const targets: readonly Case[] = [
  { name: "keeps path and query as they are", run: async ({ call }) => (await echoOf(call("/echo//a%2Fb;c=d?x=%41&y=a+b&z=%zz"))).url },
  { name: "leaves the fragment out of the request", run: async ({ call }) => (await echoOf(call("/echo?a#b?c"))).url },
  {
    name: "tells the URL without the fragment",
    run: async ({ call, origin }) => (await call("/echo?a#b")).url.replace(origin, ""),
  },
  { name: "takes a URL", run: async ({ callWith, origin }) => (await echoOf(callWith(new URL("/echo?u", origin)))).url },
  { name: "takes an empty path for the root", run: async ({ call }) => (await call("")).status },
  {
    name: "encodes what a URL cannot hold",
    run: ({ call }) => outcome(async () => (await echoOf(call("/echo/\u00e9 x"))).url),
    deviation: { gives: rejectedWith("MeshError"), why: "what goes out is what the caller wrote, byte for byte" },
  },
  {
    name: "resolves dot segments",
    run: ({ call }) => outcome(async () => (await echoOf(call("/a/../echo"))).url),
    deviation: { gives: rejectedWith("MeshError"), why: "a path that climbs is an attack or a mistake" },
  },
];

const requests: readonly Case[] = [
  {
    name: "sends a Request",
    run: ({ callWith, request }) => sent(callWith(request("/echo", { method: "PUT", body: "text", headers: { "x-a": "1" } }))),
  },
  {
    name: "puts init over a Request",
    run: ({ callWith, request }) =>
      sent(
        callWith(request("/echo", { method: "PUT", body: "text", headers: { "x-a": "1" } }), {
          method: "POST",
          body: "other",
          headers: { "x-b": "2" },
        }),
      ),
  },
  {
    name: "has read the body of a Request",
    run: async ({ callWith, request }) => {
      const made = request("/echo", { method: "POST", body: "text" });
      await callWith(made);
      return { bodyUsed: made.bodyUsed, again: await outcome(() => callWith(made)) };
    },
  },
  {
    name: "follows the signal of a Request",
    run: ({ callWith, request }) => outcome(() => callWith(request("/hang", { signal: AbortSignal.abort("mine") }))),
  },
  {
    name: "refuses a Request that says error when it is redirected",
    run: ({ callWith, request }) => outcome(() => callWith(request("/redirect/302", { redirect: "error" }))),
    deviation: { gives: rejectedWith("MeshError"), why: "a network error is a MeshError" },
  },
];

const responses: readonly Case[] = [
  ...[200, 201, 204, 205, 299, 304, 400, 404, 500, 599].map((status) => ({
    name: `tells the head of a ${status}`,
    run: async ({ call }: Side) => {
      const response = await call(`/status/${status}?Some%20Words`);
      return { head: headOf(response), text: await response.text(), bodyUsed: response.bodyUsed };
    },
  })),
  {
    name: "tells the head of an answer to HEAD",
    run: async ({ call }) => {
      const response = await call("/chunks", { method: "HEAD" });
      return { head: headOf(response), text: await response.text() };
    },
  },
  {
    name: "tells response headers: in lower case, sorted, joined, cookies apart",
    run: async ({ call }) => {
      const { headers } = await call("/headers");
      return {
        entries: [...headers].filter(([name]) => name.startsWith("x-") || name === "set-cookie"),
        twice: headers.get("X-Twice"),
        cookies: headers.getSetCookie(),
        latin: headers.get("x-latin"),
        empty: headers.get("x-empty"),
        none: headers.get("x-none"),
      };
    },
  },
  {
    name: "gives the same headers object each time",
    run: async ({ call }) => {
      const response = await call("/headers");
      const { headers } = response;
      return headers === response.headers;
    },
  },
  {
    name: "is a Response",
    run: async ({ call }) => {
      const response = await call("/chunks");
      const { body } = response;
      return {
        isResponse: response instanceof Response,
        tag: Object.prototype.toString.call(response),
        headers: response.headers instanceof Headers,
        body: response.body instanceof ReadableStream,
        isSameBody: body === response.body,
        keys: Object.keys(response),
      };
    },
  },
  {
    name: "can be given to the Response constructor",
    run: async ({ call }) => {
      const response = await call("/status/404?Gone");
      const copy = new Response(response.body, response);
      return { head: headOf(copy), text: await copy.text(), bodyUsed: response.bodyUsed };
    },
  },
  { name: "does not see informational responses", run: async ({ call }) => (await call("/hints")).text() },
  { name: "does not see trailers", run: async ({ call }) => headOf(await call("/trailers")) },
  {
    name: "decodes compressed bodies",
    run: async ({ call }) => (await (await call("/gzip")).text()) === "compressed",
  },
];

const readers: readonly Case[] = [
  ...["text", "bom", "broken", "json", "bomJson", "noJson", "empty"].flatMap((body) =>
    reads.map((read) => ({
      name: `reads ${body} as ${read}`,
      run: async ({ call }: Side) => {
        const response = await call(`/typed/${body}?text%2Fplain%3Bcharset%3Dutf-8`);
        return { value: await outcome(() => contentOf(response, read)), bodyUsed: response.bodyUsed };
      },
    })),
  ),
  ...[
    ["form", "application/x-www-form-urlencoded"],
    ["multipart", "multipart/form-data; boundary=B"],
    ["form", "multipart/form-data; boundary=B"],
  ].map(([body = "", type = ""]) => ({
    name: `reads ${body} sent as ${type} as formData`,
    run: async ({ call }: Side) => outcome(async () => contentOf(await call(`/typed/${body}?${encodeURIComponent(type)}`), "formData")),
  })),
  ...["TEXT/Plain ; Charset=UTF-8", "nonsense", 'text/html;charset="a b"', ""].map((type) => ({
    name: `gives a blob the type of ${JSON.stringify(type)}`,
    run: async ({ call }: Side) => (await (await call(`/typed/text?${encodeURIComponent(type)}`)).blob()).type,
  })),
  ...reads.map((read) => ({
    name: `has no body left to read as ${read}`,
    run: async ({ call }: Side) => {
      const response = await call("/typed/json?a%2Fb");
      await response.text();
      return { again: await outcome(() => response[read]()), bodyUsed: response.bodyUsed, locked: response.body?.locked };
    },
  })),
  {
    name: "reads nothing while a reader has the stream",
    run: async ({ call }) => {
      const response = await call("/chunks");
      const reader = response.body?.getReader();
      const whileLocked = await outcome(() => response.text());
      reader?.releaseLock();
      return { whileLocked, bodyUsed: response.bodyUsed, afterwards: await outcome(() => response.text()) };
    },
  },
  {
    name: "reads nothing after a part of the stream was read",
    run: async ({ call }) => {
      const response = await call("/chunks");
      const reader = response.body?.getReader();
      const { done } = (await reader?.read()) ?? {};
      reader?.releaseLock();
      return {
        done,
        bodyUsed: response.bodyUsed,
        text: await outcome(() => response.text()),
        clone: await outcome(() => response.clone()),
      };
    },
  },
  {
    name: "is read chunk by chunk, of Uint8Array",
    run: async ({ call }) => {
      let text = "";
      const kinds = new Set<string>();
      for await (const chunk of (await call("/chunks")).body ?? []) {
        kinds.add(Object.prototype.toString.call(chunk));
        text += Buffer.from(chunk as Uint8Array).toString();
      }
      return { text, kinds: [...kinds] };
    },
  },
  {
    name: "is read into the caller's own buffer",
    run: async ({ call }) => {
      const reader = (await call("/typed/text?a%2Fb")).body?.getReader({ mode: "byob" });
      const { value, done } = (await reader?.read(new Uint8Array(3))) ?? {};
      return { value: Buffer.from((value as Uint8Array | undefined) ?? []).toString("latin1"), done };
    },
  },
  {
    name: "is read through a transform",
    run: async ({ call }) =>
      new Response((await call("/chunks")).body?.pipeThrough(new TextDecoderStream()).pipeThrough(new TextEncoderStream())).text(),
  },
  {
    name: "is cancelled, and the connection with it",
    run: async (side) => {
      const id = side === node ? "node-cancel" : "mesh-cancel";
      const response = await side.call(`/hang/${id}?head`);
      await response.body?.cancel("enough");
      return { closed: await until("the connection is closed", () => closedByClient.has(id)), bodyUsed: response.bodyUsed };
    },
  },
];

const clones: readonly Case[] = [
  {
    name: "can be read twice when it was cloned",
    run: async ({ call }) => {
      const response = await call("/chunks");
      const copy = response.clone();
      const heads = [headOf(response), headOf(copy)];
      return { heads, first: await response.text(), second: await copy.json().catch(nameOf), used: [response.bodyUsed, copy.bodyUsed] };
    },
  },
  {
    name: "can be cloned twice",
    run: async ({ call }) => {
      const first = await call("/chunks");
      const second = first.clone();
      const third = second.clone();
      return Promise.all([first.text(), second.arrayBuffer().then((it) => it.byteLength), third.text()]);
    },
  },
  {
    name: "cannot be cloned once it was read",
    run: async ({ call }) => {
      const response = await call("/chunks");
      await response.text();
      return outcome(() => response.clone());
    },
  },
  {
    name: "can be cloned without a body",
    run: async ({ call }) => {
      const copy = (await call("/status/204")).clone();
      return { head: headOf(copy), text: await copy.text() };
    },
  },
  {
    name: "keeps the headers of a clone apart",
    run: async ({ call }) => {
      const response = await call("/headers");
      const copy = response.clone();
      return { isSame: copy.headers === response.headers, twice: copy.headers.get("x-twice"), url: copy.url === response.url };
    },
  },
];

const aborts: readonly Case[] = [
  {
    name: "rejects with the reason before anything was sent",
    run: ({ call }) => outcome(() => call("/echo", { signal: AbortSignal.abort() })),
  },
  { name: "rejects with a reason that is no error", run: ({ call }) => outcome(() => call("/echo", { signal: AbortSignal.abort(0) })) },
  {
    name: "rejects with the reason while it waits for the head, and closes the connection",
    run: async (side) => {
      const id = side === node ? "node-wait" : "mesh-wait";
      const controller = new AbortController();
      const reason = new RangeError("mine");
      setTimeout(() => controller.abort(reason), 20);
      const isReason = await side.call(`/hang/${id}`, { signal: controller.signal }).catch((error) => error === reason);
      return { isReason, closed: await until("the connection is closed", () => closedByClient.has(id)) };
    },
  },
  ...(["text", "stream"] as const).map((by) => ({
    name: `rejects a body that is being read as ${by} with the reason`,
    run: async (side: Side) => {
      const id = `${side === node ? "node" : "mesh"}-body-${by}`;
      const controller = new AbortController();
      const reason = new RangeError("mine");
      const response = await side.call(`/hang/${id}?head`, { signal: controller.signal });
      setTimeout(() => controller.abort(reason), 20);
      const read = by === "text" ? response.text() : new Response(response.body).text();
      return {
        isReason: await read.catch((error) => error === reason),
        closed: await until("the connection is closed", () => closedByClient.has(id)),
      };
    },
  })),
  {
    name: "reads nothing after an abort, even when all has arrived",
    run: async ({ call }) => {
      const controller = new AbortController();
      const response = await call("/chunks", { signal: controller.signal });
      await until("the call is over", () => mesh.explain("echo")?.endpoints[0]?.inFlight === 0);
      controller.abort();
      return outcome(() => response.text());
    },
    deviation: { gives: { resolved: "one two three" }, why: "the signal is let go with the last byte" },
  },
  {
    name: "does not mind an abort after the body",
    run: async ({ call }) => {
      const controller = new AbortController();
      const response = await call("/chunks", { signal: controller.signal });
      const text = await response.text();
      controller.abort();
      return { text, bodyUsed: response.bodyUsed };
    },
  },
  { name: "rejects with a TimeoutError", run: ({ call }) => outcome(() => call("/hang", { signal: AbortSignal.timeout(20) })) },
  { name: "takes null for no signal", run: async ({ call }) => (await call("/chunks", { signal: null })).status },
];

const failures: readonly Case[] = [
  {
    name: "rejects when no server listens",
    run: (side) => outcome(() => (side === node ? fetch(`http://127.0.0.1:${closedPort}/`) : mesh.fetch("nobody/"))),
    deviation: { gives: rejectedWith("MeshError"), why: "a network error is a MeshError" },
  },
  {
    name: "rejects when the connection breaks before the head",
    run: ({ call }) => outcome(() => call("/reset", { method: "POST" })),
    deviation: { gives: rejectedWith("MeshError"), why: "a network error is a MeshError" },
  },
  {
    name: "rejects when the connection breaks inside the body",
    run: ({ call }) => outcome(async () => (await call("/reset?x")).text()),
    deviation: { gives: rejectedWith("MeshError"), why: "a network error is a MeshError" },
  },
  ...[["manual", "manual"] as const].map(([redirect]) => ({
    name: `gives a redirect as it is with redirect: ${redirect}`,
    run: async ({ call }: Side) => {
      const response = await call("/redirect/302", { redirect });
      return { head: headOf(response), text: await response.text() };
    },
  })),
  {
    name: "rejects a redirect with redirect: error",
    run: ({ call }) => outcome(() => call("/redirect/302", { redirect: "error" })),
    deviation: { gives: rejectedWith("MeshError"), why: "a network error is a MeshError" },
  },
  {
    name: "does with a redirect by default",
    run: async ({ call }) => (await call("/redirect/302")).status,
    deviation: { gives: 302, why: "a redirect can lead out of the service" },
  },
  {
    name: "follows a redirect with redirect: follow",
    run: ({ call }) => outcome(async () => (await call("/redirect/302", { redirect: "follow" })).status),
  },
];

const inits: readonly Case[] = [
  ...[{ signal: {} }, { signal: 5 }, { redirect: "sideways" }, { headers: 5 }, { headers: "text" }, { method: Symbol("m") }].map(
    (init) => ({
      name: `refuses ${inspect(init)}`,
      run: ({ call }: Side) => outcome(() => call("/echo", init)),
    }),
  ),
  {
    name: "takes an init of undefined fields",
    run: ({ call }) => sent(call("/echo", { method: undefined, headers: undefined, body: undefined, signal: undefined })),
  },
  {
    name: "takes any object for a target that has the text of one",
    run: ({ callWith, origin }) => outcome(async () => (await callWith({ toString: () => `${origin}/echo` } as never)).status),
    deviation: { gives: rejectedWith("TypeError"), why: "a string, a URL and a Request are enough" },
  },
  ...[{ mode: "navigate" }, { cache: "bogus" }, { integrity: "sha256-AAAA" }, { window: {} }, { duplex: "full" }].map((init) => ({
    name: `refuses ${inspect(init)}`,
    run: ({ call }: Side) => outcome(async () => (await call("/echo", init)).status),
    deviation: { gives: { resolved: 200 }, why: "what means something in a browser only is ignored" },
  })),
];

/** Deviations that are not meant, past and present: a fix removes its deviation here. */
const defects: readonly Case[] = [
  {
    name: "takes null for no init",
    run: ({ call }) => outcome(async () => (await call("/echo", null)).status),
  },
  {
    name: "takes one declared parameter",
    run: async (side) => (side === node ? fetch : mesh.fetch).length,
  },
  {
    name: "is of the type basic",
    run: async ({ call }) => (await call("/echo")).type,
  },
  {
    name: "has the constructor Response",
    run: async ({ call }) => (await call("/echo")).constructor === Response,
  },
  {
    name: "tells what is wrong before it looks at the signal",
    run: ({ call }) => outcome(() => call("/echo", { method: "CONNECT", signal: AbortSignal.abort() })),
  },
  {
    name: "cancels a stream that is not sent for an abort",
    run: async ({ call }) => {
      let cancelledWith: unknown;
      const body = new ReadableStream({
        cancel: (reason) => {
          cancelledWith = reason;
        },
      });
      await outcome(() => call("/echo", { method: "POST", body, duplex: "half", signal: AbortSignal.abort("mine") }));
      return cancelledWith;
    },
  },
  {
    name: "does not let response headers be changed",
    run: ({ call }) => outcome(async () => (await call("/echo")).headers.append("x", "y")),
    deviation: { gives: { resolved: undefined }, why: "no Headers can be made that refuses" },
  },
];

// --- the comparison ---

const groups: Readonly<Record<string, readonly Case[]>> = {
  methods,
  "request headers": requestHeaders,
  "request bodies": requestBodies,
  targets,
  requests,
  responses,
  readers,
  clones,
  aborts,
  failures,
  inits,
  defects,
};

for (const [group, cases] of Object.entries(groups)) {
  describe(`like Node's fetch, mesh.fetch (${group})`, () => {
    it.each(cases)("$name", async ({ run, deviation }) => {
      const standard = await run(node);
      const ours = await run(inmesh);
      if (deviation === undefined) {
        expect(ours).toEqual(standard);
      } else {
        expect(ours).toEqual(deviation.gives);
        const isOther = Number.parseInt(process.versions.node, 10) >= (deviation.sinceNode ?? 0);
        if (isOther) expect(ours, "the deviation has gone").not.toEqual(standard);
        else expect(ours).toEqual(standard);
      }
    });
  });
}
