import { get } from "node:http";
import { describe, expect, it } from "vitest";
import { createMesh } from "../../src/client/mesh.ts";
import { staticDiscovery } from "../../src/discovery/static.ts";
import { closing, serve } from "./support.ts";

describe("work outside the pipeline", () => {
  it("is waited for by close()", async () => {
    let answer: () => void = () => {};
    let arrived: () => void = () => {};
    const hasArrived = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const server = await serve((_incoming, outgoing) => {
      answer = () => outgoing.end("late");
      arrived();
    });
    const mesh = createMesh({ discovery: staticDiscovery({ users: [{ host: "127.0.0.1", port: server.port }] }), observers: [] });
    closing(mesh);
    const agent = mesh.agent({ keepAlive: false });
    const text = new Promise<string>((resolve, reject) => {
      get("http://users/", { agent }, (response) => {
        let body = "";
        response.on("data", (chunk) => {
          body += chunk;
        });
        response.on("end", () => resolve(body));
      }).on("error", reject);
    });
    await hasArrived;
    let isClosed = false;
    const closed = mesh.close().then(() => {
      isClosed = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isClosed).toBe(false);
    answer();
    expect(await text).toBe("late");
    await closed;
    agent.destroy();
  });
});
