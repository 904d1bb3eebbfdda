import { describe, expect, test } from "vitest";
import { gatewayTo } from "../support/gateway.ts";
import { meshOf } from "../support/mesh.ts";
import { serve } from "../support/servers.ts";

describe("a gateway that is changed while it runs", () => {
  test("takes another mesh and other options for requests that begin then; those under way end by the former", async () => {
    let release = (): void => {};
    const slow = await serve((_request, response) => {
      release = () => response.end("slow");
    });
    const fast = await serve((_request, response) => response.end("fast"));
    const { port, gateway } = await gatewayTo(slow.port);
    const url = `http://127.0.0.1:${port}/`;
    const underWay = fetch(url);
    await expect.poll(() => slow.seen.length).toBe(1);
    let hasEnded = false;
    const ended = gateway.reconfigure({ service: "web", via: "next" }, meshOf({ web: fast.port })).then(() => (hasEnded = true));
    expect(await (await fetch(url)).text()).toBe("fast");
    expect(fast.seen[0]?.headers["via"]).toBe("1.1 next");
    expect(hasEnded).toBe(false);
    release();
    expect(await (await underWay).text()).toBe("slow");
    await ended;
  });

  test("stays as it is where the options or the mesh are wrong", async () => {
    const instance = await serve((_request, response) => response.end("still"));
    const { port, gateway } = await gatewayTo(instance.port);
    expect(() => gateway.reconfigure({ bodyTimeoutMs: -1 })).toThrow("gateway.bodyTimeoutMs");
    expect(() => gateway.reconfigure({ rules: { gone: {} } })).toThrow("rules.gone is for no route");
    expect(() => gateway.reconfigure({}, {})).toThrow("a mesh that createMesh has made");
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("still");
  });

  test("has no request under way after those that were cut off, refused or upgraded in vain", async () => {
    const instance = await serve((request, response) => (request.url === "/cut" ? response.destroy() : response.end()));
    const { port, gateway } = await gatewayTo(instance.port);
    const { connect } = await import("node:net");
    await fetch(`http://127.0.0.1:${port}/cut`);
    await fetch(`http://127.0.0.1:${port}/x`, { method: "TRACE" }).catch(() => {});
    const socket = connect(port, "127.0.0.1");
    socket.write(
      "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nPOST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf",
    );
    await new Promise((resolve) => socket.once("data", resolve));
    socket.destroy();
    await gateway.reconfigure({ service: "web" });
  });
});
