import { describe, expect, it, onTestFinished } from "vitest";
import { localResponse } from "../../src/core/buffered-body.ts";
import type { MeshError } from "../../src/core/errors.ts";
import { type MockAnswers, type MockMesh, type MockMeshOptions, mockMesh } from "../../src/testing/index.ts";
import { ManualClock } from "../registries/manual-clock.ts";
import { rejectionOf } from "../support/rejection.ts";

function mocked(answers: Readonly<Record<string, MockAnswers>>, options: MockMeshOptions = {}): MockMesh {
  const mesh = mockMesh(answers, options);
  onTestFinished(() => mesh.close());
  return mesh;
}

describe("mockMesh", () => {
  it("gives every call the same answer", async () => {
    const mesh = mocked({
      orders: { status: 201, json: { id: 1 }, headers: { "X-A": "1", "set-cookie": ["a=1", "b=2"] } },
      users: "Ada",
      nothing: { status: 204 },
      own: new Response("\u00e4", { status: 202, statusText: "Taken", headers: { "x-a": "1" } }),
      typed: { text: "<p>", headers: { "Content-Type": "text/html" } },
    });
    for (let call = 0; call < 2; call++) {
      const response = await mesh.fetch("orders/x");
      expect(response).toBeInstanceOf(Response);
      expect([
        response.status,
        response.headers.get("content-type"),
        response.headers.get("x-a"),
        response.headers.getSetCookie(),
        await response.json(),
      ]).toEqual([201, "application/json", "1", ["a=1", "b=2"], { id: 1 }]);
      const own = await mesh.fetch("own/x");
      expect([own.status, own.statusText, own.headers.get("x-a"), await own.text()]).toEqual([202, "Taken", "1", "\u00e4"]);
    }
    expect(await (await mesh.fetch("users/1")).text()).toBe("Ada");
    expect((await mesh.fetch("nothing/1")).body).toBeNull();
    expect((await mesh.fetch("typed/1")).headers.get("content-type")).toBe("text/html");
    expect(await (await mesh.fetch("users/1", { method: "HEAD" })).text()).toBe("");
  });

  it("gives each call the next answer of a queue, and rejects when it is used up", async () => {
    const mesh = mocked({ users: ["Ada", { status: 404 }, { fault: "reset" }] });
    expect(await (await mesh.fetch("users/1")).text()).toBe("Ada");
    expect((await mesh.fetch("users/2")).status).toBe(404);
    expect(await rejectionOf(mesh.fetch("users/3"))).toMatchObject({ code: "ERR_MESH_PROTOCOL" });
    expect(await rejectionOf(mesh.fetch("users/4"))).toMatchObject({
      message: 'mockMesh: the 3 answers of "users" are used up, and GET /4 wants another',
    });
  });

  it("gives the answer of a function of the call", async () => {
    const mesh = mocked({ stock: async ({ method, path, headers, body }) => ({ json: [method, path, headers["x-a"], body] }) });
    expect(await (await mesh.fetch("stock/a?b=c", { method: "put", headers: { "X-A": "1" }, body: "text" })).json()).toEqual([
      "PUT",
      "/a?b=c",
      "1",
      "text",
    ]);
    mesh.answer("stock", () => {
      throw new Error("mine");
    });
    expect(await rejectionOf(mesh.fetch("stock/x"))).toMatchObject({ message: "mine" });
    mesh.answer("stock", () => 5 as never);
    expect(await rejectionOf(mesh.fetch("stock/x"))).toBeInstanceOf(TypeError);
  });

  it("records the calls as they would have been sent", async () => {
    const mesh = mocked({ orders: "ok" });
    const form = new FormData();
    form.append("a", "1");
    await mesh.fetch("orders/1", { method: "POST", body: new URLSearchParams({ a: "1" }), headers: { connection: "close", "X-A": "1" } });
    await mesh.fetch("orders/2", { method: "POST", body: Buffer.from("bytes") });
    await mesh.fetch(new Request("http://orders/3", { method: "POST", body: "request" }));
    await mesh.fetch("orders/4", { method: "POST", body: form });
    await mesh.fetch("orders/5", {
      method: "POST",
      body: async function* () {
        yield "a";
        yield Buffer.from("b");
      },
    });
    await rejectionOf(mesh.fetch("nobody/6"));
    expect(mesh.calls.map(({ service, method, path, body }) => [service, method, path, body])).toEqual([
      ["orders", "POST", "/1", "a=1"],
      ["orders", "POST", "/2", "bytes"],
      ["orders", "POST", "/3", "request"],
      ["orders", "POST", "/4", expect.stringContaining('name="a"')],
      ["orders", "POST", "/5", "ab"],
      ["nobody", "GET", "/6", ""],
    ]);
    expect(mesh.calls[0]?.headers).toEqual({
      "content-type": "application/x-www-form-urlencoded;charset=UTF-8",
      accept: "*/*",
      "user-agent": "inmesh",
      "x-a": "1",
    });
  });

  it("fails as production does", async () => {
    const mesh = mocked({ a: { fault: "connect" }, b: { fault: "timeout" }, c: { fault: "reset" } });
    const failed = await Promise.all(
      ["a/x", "b/x", "c/x"].map((target) => rejectionOf(mesh.fetch(target, { method: "POST" })) as Promise<MeshError>),
    );
    expect(
      failed.map(({ name, code, service, maybeExecuted, attempts }) => [name, code, service, maybeExecuted, attempts[0]?.phase]),
    ).toEqual([
      ["MeshError", "ERR_MESH_CONNECT", "a", false, "connect"],
      ["MeshError", "ERR_MESH_TIMEOUT", "b", true, "headers"],
      ["MeshError", "ERR_MESH_PROTOCOL", "c", true, "headers"],
    ]);
  });

  it("rejects a call to a service without answers, and suggests similar names", async () => {
    const error = (await rejectionOf(mocked({ orders: "ok" }).fetch("order/x"))) as MeshError;
    expect(error).toMatchObject({ code: "ERR_MESH_NO_ENDPOINTS", service: "order", maybeExecuted: false });
    expect(error.message).toMatch(/^"order" has no endpoints: the mock listed none \d+ ms ago\. Did you mean "orders"\?$/);
  });

  it("refuses what the real mesh refuses, without recording it", async () => {
    const mesh = mocked({ orders: "ok" });
    expect(await rejectionOf(mesh.fetch("user:pw@orders/x"))).toMatchObject({ code: "ERR_MESH_INVALID_TARGET" });
    expect(await rejectionOf(mesh.fetch("orders/../x"))).toMatchObject({ code: "ERR_MESH_INVALID_TARGET" });
    expect(await rejectionOf(mesh.fetch("orders/x", { headers: { a: "b\r\nc" } }))).toBeInstanceOf(TypeError);
    expect(await rejectionOf(mesh.fetch("orders/x", { body: "x" }))).toBeInstanceOf(TypeError);
    expect(await rejectionOf(mesh.fetch("orders/x", { mesh: { timeout: 5 } as never }))).toBeInstanceOf(TypeError);
    expect(await rejectionOf(mesh.fetch("orders/x", { signal: AbortSignal.abort("no") }))).toBe("no");
    expect(mesh.calls).toEqual([]);
    await mesh.close();
    expect(await rejectionOf(mesh.fetch("orders/x"))).toMatchObject({ code: "ERR_MESH_CLOSED" });
  });

  it("waits on the given clock, until the deadline or the caller's abort at most", async () => {
    const clock = new ManualClock();
    const mesh = mocked({ slow: { text: "late", delayMs: 500 }, never: { fault: "reset", delayMs: 60_000 } }, { clock, timeoutMs: 1_000 });
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    let answer: Response | undefined;
    const call = mesh.fetch("slow/x").then((response) => {
      answer = response;
    });
    await turn();
    clock.advance(499);
    await turn();
    expect(answer).toBeUndefined();
    clock.advance(1);
    await call;
    expect(await (answer as unknown as Response).text()).toBe("late");
    const expired = rejectionOf(mesh.fetch("never/x"));
    await turn();
    clock.advance(1_000);
    expect(await expired).toMatchObject({
      code: "ERR_MESH_TIMEOUT",
      message: '"never" did not answer GET within the deadline of 1000 ms (timeoutMs)',
    });
    const controller = new AbortController();
    const aborted = rejectionOf(mesh.fetch("never/x", { signal: controller.signal }));
    await turn();
    controller.abort("enough");
    expect(await aborted).toBe("enough");
  });

  it("runs the given interceptors and observers, those of single services too", async () => {
    const paths: string[] = [];
    const mesh = mocked(
      { orders: "ok", users: "ok" },
      {
        interceptors: [(next) => (request) => next({ ...request, headers: { ...request.headers, "x-all": "1" } })],
        services: {
          users: { interceptors: [(next) => async (request) => (request.path === "/own" ? localResponse(299) : next(request))] },
        },
        observers: [{ onCall: ({ path }) => void paths.push(path) }],
      },
    );
    await mesh.fetch("orders/a");
    expect(mesh.calls[0]?.headers["x-all"]).toBe("1");
    expect((await mesh.fetch("users/own")).status).toBe(299);
    expect(await (await mesh.fetch("users/b")).text()).toBe("ok");
    expect(mesh.calls.map(({ path }) => path)).toEqual(["/a", "/b"]);
    expect(paths).toEqual(["/a", "/own", "/b"]);
  });

  it.each([
    [{ orders: { staus: 200 } }, 'mockMesh: orders has no option "staus"'],
    [{ orders: { status: 99 } }, "mockMesh: orders: status must be from 200 to 599, not 99"],
    [{ orders: { status: "200" } }, 'mockMesh: orders: status must be a number, not "200"'],
    [{ orders: { json: 1, text: "1" } }, "mockMesh: orders: an answer has json or text, not both"],
    [{ orders: { fault: "boom" } }, 'mockMesh: orders: fault must be one of "connect", "timeout", "reset", not "boom"'],
    [{ orders: { fault: "connect", status: 500 } }, 'mockMesh: orders has no option "status"'],
    [{ orders: { delayMs: -1 } }, "mockMesh: orders: delayMs must be at least 0, not -1"],
    [{ orders: null }, "mockMesh: orders: null is no answer"],
    [{ orders: ["ok", 5] }, "mockMesh: orders: 5 is no answer"],
  ])("refuses %j", (answers, message) => {
    expect(() => mockMesh(answers as never)).toThrow(message);
  });

  it("refuses an option that it does not have", () => {
    expect(() => mockMesh({}, { retry: false } as never)).toThrow('mockMesh has no option "retry"');
  });
});
