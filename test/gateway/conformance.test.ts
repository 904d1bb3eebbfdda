import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { gatewayTo } from "../support/gateway.ts";
import { serveRaw } from "../support/servers.ts";

/** The whole of an answer that ends its connection, without the parts that differ from run to run. */
function answerTo(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let got = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    socket.on("data", (chunk) => (got += chunk.toString("latin1")));
    socket.on("error", () => {});
    socket.on("close", () => resolve(got.replaceAll(/^(?:date|x-request-id): .*\r\n/gim, "")));
  });
}

const get = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

interface Row {
  readonly name: string;
  readonly asked?: string;
  readonly said: string;
  /** Parts of the answer, each in it. */
  readonly has: readonly string[];
  readonly hasNot?: readonly string[];
}

const rows: readonly Row[] = [
  {
    name: "a length stays one",
    said: "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nab",
    has: ["HTTP/1.1 200 OK\r\n", "content-length: 2\r\n", "\r\n\r\nab"],
    hasNot: ["transfer-encoding"],
  },
  {
    name: "a body that the end of the connection ends is whole",
    said: "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nabc",
    has: ["abc"],
  },
  {
    name: "a body that the end of the connection ends has no length of its own over HTTP/1.0",
    asked: "GET / HTTP/1.0\r\nhost: a\r\n\r\n",
    said: "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nabc",
    has: ["\r\n\r\nabc"],
    hasNot: ["transfer-encoding"],
  },
  {
    name: "headers of the connection stay there, also those that it names",
    said: "HTTP/1.1 200 OK\r\nconnection: keep-alive, x-hop\r\nkeep-alive: timeout=9\r\nx-hop: 1\r\nproxy-authenticate: Basic\r\nupgrade: h2c\r\nx-end: 2\r\ncontent-length: 0\r\n\r\n",
    has: ["x-end: 2\r\n"],
    hasNot: ["x-hop", "timeout=9", "proxy-authenticate", "h2c"],
  },
  {
    name: "a length that the connection names stays",
    said: "HTTP/1.1 200 OK\r\nconnection: content-length\r\ncontent-length: 1\r\n\r\nx",
    has: ["content-length: 1\r\n", "\r\n\r\nx"],
  },
  {
    name: "a 204 has no body and no length",
    said: "HTTP/1.1 204 No Content\r\n\r\n",
    has: ["HTTP/1.1 204 No Content\r\n"],
    hasNot: ["transfer-encoding", "content-length"],
  },
  {
    name: "a 304 keeps the length of what it stands for, and has no body",
    said: 'HTTP/1.1 304 Not Modified\r\netag: "x"\r\ncontent-length: 500\r\n\r\n',
    has: ["HTTP/1.1 304 Not Modified\r\n", 'etag: "x"\r\n'],
    hasNot: ["transfer-encoding"],
  },
  {
    name: "HEAD gets the length and no body",
    asked: get.replace("GET", "HEAD"),
    said: "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n",
    has: ["content-length: 500\r\n"],
  },
  {
    name: "HEAD of an answer in chunks gets no length",
    asked: get.replace("GET", "HEAD"),
    said: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
    has: ["HTTP/1.1 200 OK\r\n"],
    hasNot: ["content-length"],
  },
  {
    name: "repeated headers come in their order",
    said: "HTTP/1.1 200 OK\r\nset-cookie: a=1\r\nset-cookie: b=2\r\nwww-authenticate: A\r\nwww-authenticate: B\r\ncontent-length: 0\r\n\r\n",
    has: ["set-cookie: a=1\r\nset-cookie: b=2\r\n", "www-authenticate: A\r\nwww-authenticate: B\r\n"],
  },
  {
    name: "an unusual status and its reason come as they are",
    said: "HTTP/1.1 599 Rather Odd\r\ncontent-length: 0\r\n\r\n",
    has: ["HTTP/1.1 599 Rather Odd\r\n"],
  },
  {
    name: "a 100 that was not asked for is left out",
    said: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    has: ["HTTP/1.1 200 OK\r\n", "\r\n\r\nok"],
    hasNot: ["100 Continue"],
  },
  {
    name: "informational answers before the last are left out",
    said: "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    has: ["HTTP/1.1 200 OK\r\n", "\r\n\r\nok"],
    hasNot: ["103", "link"],
  },
  {
    name: "a 101 to a request without an upgrade is a 502",
    said: "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
    has: ["HTTP/1.1 502 Bad Gateway\r\n"],
  },
  {
    name: "a length beside chunks is a 502",
    said: "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    has: ["HTTP/1.1 502 Bad Gateway\r\n"],
  },
  {
    name: "two lengths are a 502",
    said: "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
    has: ["HTTP/1.1 502 Bad Gateway\r\n"],
  },
  { name: "a line without a status is a 502", said: "HTTP/1.1 OK\r\n\r\n", has: ["HTTP/1.1 502 Bad Gateway\r\n"] },
  { name: "an instance that closes without a word is a 502", said: "", has: ["HTTP/1.1 502 Bad Gateway\r\n"] },
  {
    name: "a head of more than it may have is a 502",
    said: `HTTP/1.1 200 OK\r\nx-long: ${"x".repeat(100_000)}\r\n\r\n`,
    has: ["HTTP/1.1 502 Bad Gateway\r\n"],
  },
  {
    name: "a body that is shorter than its length is cut",
    said: "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab",
    has: ["content-length: 5\r\n", "\r\n\r\nab"],
  },
  {
    name: "a target with its host is a path for the instance",
    asked: "GET http://a/x?y=1 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
    said: "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    has: ["HTTP/1.1 200 OK\r\n"],
  },
  {
    name: "an expectation is met before the body, whose answer follows",
    asked: "POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\nab",
    said: "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    has: ["HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"],
  },
];

describe("what an instance says, as a client of a gateway gets it:", () => {
  test.each(rows)("$name", async ({ asked = get, said, has, hasNot = [] }) => {
    const heads: string[] = [];
    const instance = await serveRaw((socket, head) => {
      heads.push(head);
      socket.end(Buffer.from(said, "latin1"));
    });
    const { port } = await gatewayTo(instance.port, {}, { retry: { maxAttempts: 1 } });
    const answer = await answerTo(port, asked);
    for (const part of has) expect(answer.toLowerCase()).toContain(part.toLowerCase());
    for (const part of hasNot) expect(answer.toLowerCase()).not.toContain(part.toLowerCase());
    if (asked.includes("http://a/")) expect(heads[0]).toMatch(/^GET \/x\?y=1 HTTP\/1\.1\r\n/);
  });

  test("chunks that break off are cut off, and never ended", async () => {
    const instance = await serveRaw((socket) => socket.end("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n"));
    const { port } = await gatewayTo(instance.port, {}, { retry: { maxAttempts: 1 } });
    const answer = await answerTo(port, get);
    expect(answer).toContain("1\r\na\r\n");
    expect(answer).not.toContain("0\r\n\r\n");
  });

  test("a client that has sent all and closed its side gets its answer", async () => {
    const instance = await serveRaw((socket) => void setTimeout(() => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"), 50));
    const { port } = await gatewayTo(instance.port);
    const answer = await new Promise<string>((resolve) => {
      let got = "";
      const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true }, () => socket.end("GET / HTTP/1.1\r\nhost: a\r\n\r\n"));
      socket.on("data", (chunk) => (got += chunk.toString("latin1")));
      socket.on("error", () => {});
      socket.on("close", () => resolve(got));
    });
    expect(answer === "" || answer.endsWith("ok")).toBe(true);
  });
});
