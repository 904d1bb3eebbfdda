import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { requireDist } from "../dist.ts";
import { available } from "../servers/available.ts";
import { startConsul } from "../servers/consul.ts";
import { Authority } from "../support/authority.ts";
import { svidOf, WorkloadAgent } from "../support/workload-agent.ts";
import { run } from "./run-example.ts";

const [orders, web] = ["spiffe://example.org/orders", "spiffe://example.org/web"];
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "mtls-"));
  cleanups.push(() => rm(made, { recursive: true, force: true }));
  return made;
}

describe("from nothing to strict mTLS in three steps", { timeout: 120_000 }, () => {
  beforeAll(requireDist);

  it("with certificates in files", async () => {
    const directory = await folder();
    const authority = await Authority.create("example.org");
    await writeFile(join(directory, "ca.crt"), authority.certificate);
    for (const [name, id] of Object.entries({ orders, web })) {
      const { chain, key } = await authority.issue({ uris: [id] });
      await writeFile(join(directory, `${name}.crt`), chain);
      await writeFile(join(directory, `${name}.key`), key, { mode: 0o600 });
    }
    const { code, output } = await run("mtls-files.ts", { IDENTITY_FOLDER: directory });
    expect(code, output).toBe(0);
    expect(output.split("\n")).toEqual([
      `200 hello, ${web}`,
      expect.stringMatching(
        /^identity spiffe:\/\/example.org\/web by files: ready, \d+ min left; peers strict: spiffe:\/\/example.org\/orders$/,
      ),
      "clear text is refused",
      "",
    ]);
  });

  it("with SPIFFE, by the Workload API", async () => {
    const authority = await Authority.create("example.org");
    const agent = new WorkloadAgent(join(await folder(), "agent.sock"));
    await agent.start();
    cleanups.push(() => agent.stop());
    agent.give({
      svids: [
        svidOf(orders, await authority.issue({ uris: [orders] }), authority, "orders"),
        svidOf(web, await authority.issue({ uris: [web] }), authority, "web"),
      ],
    });
    const { code, output } = await run("mtls-spiffe.ts", { SPIFFE_ENDPOINT_SOCKET: agent.socket });
    expect(code, output).toBe(0);
    expect(output).toBe(`200 hello, ${web}\nclear text is refused\n`);
  });

  it.skipIf(!available("consul"))("with the authority of a real Consul, and leaves nothing in it", async () => {
    const server = await startConsul({ config: { connect: { enabled: true } } });
    cleanups.push(() => server.stop());
    const { code, output } = await run("mtls-consul.ts", { CONSUL_URL: server.url });
    expect(code, output).toBe(0);
    expect(output).toBe("200 hello, spiffe://TRUST-DOMAIN/ns/default/dc/dc1/svc/web\nclear text is refused\n");
    expect(await server.get("/v1/agent/services")).toEqual({});
  });
});
