import { type FastifyInstance, fastify } from "fastify";
import { afterEach, describe, expect, test } from "vitest";
import { inmeshPlugin, servingOf } from "../../src/server/fastify.ts";
import { serve } from "../../src/server/server.ts";

const apps: FastifyInstance[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

const quiet = { signals: [], log: false } as const;

/** An application whose `/slow` waits until it is told to answer. */
function slowApp(): { readonly app: FastifyInstance; answer(): void; readonly isAsked: () => boolean } {
  const app = fastify();
  apps.push(app);
  let answer: (() => void) | undefined;
  app.get("/slow", () => new Promise((resolve) => (answer = () => resolve({ slow: true }))));
  app.get("/", async () => ({ ok: true }));
  return { app, answer: () => answer?.(), isAsked: () => answer !== undefined };
}

describe("the plug-in for Fastify", () => {
  test("lets close() answer what is under way and new requests of the lame duck, and then runs the hooks", async () => {
    const { app, answer, isAsked } = slowApp();
    await app.register(inmeshPlugin, { ...quiet, lameDuckMs: 300 });
    const order: string[] = [];
    app.addHook("onClose", async () => void order.push("onClose"));
    app.addHook("preClose", async () => void order.push("preClose"));
    const url = await app.listen({ host: "127.0.0.1", port: 0 });
    const slow = fetch(`${url}/slow`).then((response) => order.push(`slow ${response.status}`));
    await expect.poll(isAsked).toBe(true);
    const closed = app.close();
    expect(servingOf(app).state).toBe("lame-duck");
    const meanwhile = await fetch(url);
    expect([meanwhile.status, meanwhile.headers.get("connection"), await meanwhile.text()]).toEqual([200, "close", '{"ok":true}']);
    answer();
    await slow;
    await closed;
    expect(order).toEqual(["slow 200", "preClose", "onClose"]);
    expect(servingOf(app).state).toBe("stopped");
  });

  test("is known to the plug-ins of the application", async () => {
    const { app } = slowApp();
    let state: string | undefined;
    await app.register(inmeshPlugin, quiet);
    await app.register(async (child) => {
      state = servingOf(child).state;
    });
    expect(state).toBe("starting");
  });

  test("closes an application that has never listened, as tests with inject do, at once", async () => {
    const { app } = slowApp();
    await app.register(inmeshPlugin, quiet);
    expect((await app.inject("/")).statusCode).toBe(200);
    await app.close();
    expect(servingOf(app).state).toBe("stopped");
  });

  test("rejects close() where a hook of the application does", async () => {
    const app = fastify();
    await app.register(inmeshPlugin, quiet);
    app.addHook("onClose", async () => {
      throw new Error("the pool would not end");
    });
    await app.ready();
    await expect(app.close()).rejects.toThrow("the pool would not end");
  });

  test("refuses wrong options, a second registration, and an application without it", async () => {
    const wrong = fastify();
    await expect(async () => wrong.register(inmeshPlugin, { graceMs: -1 })).rejects.toThrow("serve.graceMs");
    const twice = fastify();
    apps.push(twice);
    await twice.register(inmeshPlugin, quiet);
    await expect(async () => twice.register(inmeshPlugin, quiet)).rejects.toThrow("registered twice");
    expect(() => servingOf(fastify())).toThrow("has not loaded the plug-in");
  });
});

describe("serve with a Fastify instance", () => {
  test("stops it with the same care", async () => {
    const { app, answer, isAsked } = slowApp();
    const serving = serve(app, { ...quiet, lameDuckMs: 0 });
    const url = await app.listen({ host: "127.0.0.1", port: 0 });
    await serving.started;
    const slow = fetch(`${url}/slow`);
    await expect.poll(isAsked).toBe(true);
    const stopped = serving.stop();
    answer();
    expect((await slow).status).toBe(200);
    expect(await stopped).toMatchObject({ cutOff: 0, problems: [] });
  });
});
