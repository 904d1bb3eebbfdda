import type { RequestListener } from "node:http";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { AttemptEnd, CallEnd } from "../../src/extend.ts";
import type { MeshOptions } from "../../src/index.ts";
import { meshOf } from "../support/mesh.ts";
import { serve } from "../support/servers.ts";

/** A mesh whose calls and attempts are recorded as its observers are told of them. */
async function observed(answer: RequestListener, options: Partial<MeshOptions> = {}) {
  const server = await serve(answer);
  const calls: CallEnd[] = [];
  const attempts: AttemptEnd[] = [];
  const observer = {
    onCall: () => ({ onEnd: (end: CallEnd) => void calls.push(end) }),
    onAttempt: () => ({ onEnd: (end: AttemptEnd) => void attempts.push(end) }),
  };
  const mesh = meshOf({ orders: server.port }, { retry: false, observers: [observer], ...options });
  return { mesh, calls, attempts };
}

const noGzip = Buffer.from("this is no gzip, though its head says that it is");
const gzipped = (body: Buffer): RequestListener => {
  return (_request, response) => void response.writeHead(200, { "content-encoding": "gzip" }).end(body);
};

const readers: Readonly<Record<string, (response: Response) => Promise<unknown>>> = {
  text: (response) => response.text(),
  json: (response) => response.json(),
  stream: async (response) => {
    for await (const chunk of response.body ?? []) void chunk;
  },
};

describe("a body that arrives whole and does not decode", () => {
  it.each(Object.keys(readers))("is the failure of its call to observers, and an answer of its attempt, read by %s", async (reader) => {
    const { mesh, calls, attempts } = await observed(gzipped(noGzip));
    const read = readers[reader] as (response: Response) => Promise<unknown>;
    await expect(mesh.fetch("orders/1").then(read)).rejects.toMatchObject({ code: "ERR_MESH_BODY" });
    await expect.poll(() => calls.length).toBe(1);
    expect(calls[0]).toMatchObject({ status: 200, cancelled: false, error: { code: "ERR_MESH_BODY" } });
    expect(attempts).toMatchObject([{ cancelled: false, error: undefined }]);
  });
});

it("a body that decodes to more than is allowed is the failure of its call, and not of its attempt", async () => {
  const { mesh, calls, attempts } = await observed(gzipped(gzipSync(Buffer.alloc(2_000))), { maxCollectedBytes: 1_000 });
  await expect(mesh.fetch("orders/1").then((response) => response.text())).rejects.toMatchObject({ code: "ERR_MESH_BODY" });
  await expect.poll(() => calls.length).toBe(1);
  expect(calls[0]).toMatchObject({ status: 200, error: { code: "ERR_MESH_BODY" } });
  expect(attempts).toMatchObject([{ error: undefined }]);
});

it.each(["read", "not read", "given up"])("a body that decodes is the success of its call, once, when it is %s", async (what) => {
  const { mesh, calls } = await observed(gzipped(gzipSync("x")));
  const response = await mesh.fetch("orders/1");
  if (what === "read") await response.text();
  if (what === "given up") await response.body?.cancel();
  await expect.poll(() => calls.length, { timeout: 5_000 }).toBe(1);
  expect(calls[0]).toMatchObject({ status: 200 });
  if (what === "read") expect(calls[0]?.error).toBeUndefined();
  await mesh.close();
  expect(calls).toHaveLength(1);
});
