import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { status } from "@grpc/grpc-js";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { IdentityWatch } from "../../../src/identity/identity-source.ts";
import { type WorkloadApiOptions, workloadApi } from "../../../src/identity/spiffe/workload-api.ts";
import { Authority, type Issued } from "../../support/authority.ts";
import { IdentityJournal } from "../../support/identity-journal.ts";
import { until } from "../../support/until.ts";
import { derOf, svidOf, WorkloadAgent } from "../../support/workload-agent.ts";

const id = "spiffe://example.org/shop/orders";
const folder = mkdtempSync(join(tmpdir(), "wl-"));
let home: Authority;
let partner: Authority;
let first: Issued;
let second: Issued;
let agent: WorkloadAgent;
let journal: IdentityJournal;
const watches: IdentityWatch[] = [];
let count = 0;

beforeAll(async () => {
  [home, partner] = await Promise.all([Authority.create("example.org"), Authority.create("partner.example")]);
  [first, second] = await Promise.all([home.issue({ uris: [id] }), home.issue({ uris: [id] })]);
});

beforeEach(async () => {
  agent = new WorkloadAgent(join(folder, `${count++}.sock`));
  journal = new IdentityJournal();
  await agent.start();
});

afterEach(() => {
  for (const watch of watches.splice(0)) watch.close();
  agent.stop();
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function watch(options: WorkloadApiOptions = {}): IdentityWatch {
  const started = workloadApi({ socket: agent.socket, ...options }).watch(journal);
  watches.push(started);
  return started;
}

const orders = (issued: Issued, hint?: string) => svidOf(id, issued, home, hint);

describe("the credentials of the Workload API", () => {
  it("are certificate, key and the bundles of the own and of federated domains, as PEM", async () => {
    agent.give({ svids: [orders(first)], federatedBundles: { "spiffe://partner.example": derOf(partner.certificate) } });
    watch();
    const { certificate, key, trust } = await journal.updated(1);
    expect(new X509Certificate(certificate).subjectAltName).toBe(`URI:${id}`);
    expect(derOf(key)).toEqual(derOf(first.key));
    expect([...trust.bundles.keys()].sort()).toEqual(["example.org", "partner.example"]);
    expect(derOf(trust.bundles.get("partner.example")?.join("") ?? "")).toEqual(derOf(partner.certificate));
    expect(trust.authorities).toEqual([]);
    expect(agent.asked[0]?.get("workload.spiffe.io")).toEqual(["true"]);
    expect(journal.failures).toEqual([]);
  });

  it("hold the intermediate certificates of a chain, leaf first", async () => {
    const below = await Authority.create("below", home);
    agent.give({ svids: [orders(await below.issue({ uris: [id] }))] });
    watch();
    const { certificate } = await journal.updated(1);
    expect(certificate.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(new X509Certificate(certificate).subjectAltName).toBe(`URI:${id}`);
  });

  it("change with each message, and lose what a message no longer has", async () => {
    agent.give({ svids: [orders(first)], federatedBundles: { "spiffe://partner.example": derOf(partner.certificate) } });
    watch();
    await journal.updated(1);
    agent.give({ svids: [orders(second)] });
    const { key, trust } = await journal.updated(2);
    expect(derOf(key)).toEqual(derOf(second.key));
    expect([...trust.bundles.keys()]).toEqual(["example.org"]);
  });

  it("have the lists of revoked certificates", async () => {
    const list = await home.revoke([second.certificate]);
    agent.give({ svids: [orders(first)], crl: [derOf(list)] });
    watch();
    const { trust } = await journal.updated(1);
    expect(trust.revocations?.map(derOf)).toEqual([derOf(list)]);
  });

  it("are those of the first SVID, or of the first with the hint that was asked for", async () => {
    const third = await home.issue({ uris: [id] });
    agent.give({ svids: [orders(first, "external"), orders(second, "internal"), orders(third, "internal")] });
    watch();
    expect(derOf((await journal.updated(1)).key)).toEqual(derOf(first.key));
    journal = new IdentityJournal();
    watch({ hint: "internal" });
    expect(derOf((await journal.updated(1)).key)).toEqual(derOf(second.key));
  });

  it("are withdrawn once no SVID has the hint any more", async () => {
    agent.give({ svids: [orders(first, "internal")] });
    watch({ hint: "internal" });
    await journal.updated(1);
    agent.give({ svids: [orders(first, "external")] });
    expect((await journal.withdrawn()).message).toMatch(/no SVID with the hint "internal"; there are "external"/);
  });
});

describe("a wrong message", () => {
  const cut = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, bytes.length - 1);
  it.each<[string, RegExp, () => Parameters<WorkloadAgent["give"]>[0] | Promise<Parameters<WorkloadAgent["give"]>[0]>]>([
    ["without an SVID", /has no SVID/, () => ({})],
    [
      "with a chain that is cut off",
      /chain of .* is no DER/,
      () => ({ svids: [{ ...orders(second), x509Svid: cut(orders(second).x509Svid) }] }),
    ],
    ["without a chain", /has no certificate/, () => ({ svids: [{ ...orders(second), x509Svid: new Uint8Array() }] })],
    [
      "with a key that is cut off",
      /the key of .* is no DER/,
      () => ({ svids: [{ ...orders(second), x509SvidKey: cut(orders(second).x509SvidKey) }] }),
    ],
    [
      "with the key of another certificate",
      /not that of the certificate/,
      () => ({ svids: [{ ...orders(second), x509SvidKey: derOf(first.key) }] }),
    ],
    ["without a key", /no single PKCS#8 key/, () => ({ svids: [{ ...orders(second), x509SvidKey: new Uint8Array() }] })],
    [
      "without a bundle",
      /the bundle of spiffe:\/\/example.org is empty/,
      () => ({ svids: [{ ...orders(second), bundle: new Uint8Array() }] }),
    ],
    [
      "with an id that its certificate has not",
      /not one of spiffe:\/\/example.org\/admin/,
      () => ({ svids: [{ ...orders(second), spiffeId: "spiffe://example.org/admin" }] }),
    ],
    [
      "with the id of a trust domain",
      /no SPIFFE id of a workload/,
      () => ({ svids: [{ ...orders(second), spiffeId: "spiffe://example.org" }] }),
    ],
    [
      "with a certificate of two ids",
      /not one of/,
      async () => ({ svids: [orders(await home.issue({ uris: [id, "spiffe://example.org/admin"] }))] }),
    ],
    [
      "with a federated bundle that is none",
      /bundle of spiffe:\/\/partner.example/,
      () => ({ svids: [orders(second)], federatedBundles: { "spiffe://partner.example": Buffer.from("hello") } }),
    ],
    [
      "with a federated bundle under a workload's id",
      /no SPIFFE id of a trust domain/,
      () => ({ svids: [orders(second)], federatedBundles: { "spiffe://partner.example/a": derOf(partner.certificate) } }),
    ],
    ["with a revocation list that is none", /revocation list 1/, () => ({ svids: [orders(second)], crl: [derOf(home.certificate)] })],
  ])("%s replaces nothing, and the next right one does", async (_what, text, message) => {
    agent.give({ svids: [orders(first)] });
    watch();
    await journal.updated(1);
    agent.give(await message());
    const { message: said } = await journal.failed(text);
    expect(said).toContain(`the SPIFFE Workload API at unix:`);
    expect(said).not.toContain(derOf(second.key).toString("base64").slice(0, 40));
    expect(journal.updates).toHaveLength(1);
    expect(journal.withdrawals).toEqual([]);
    agent.give({ svids: [orders(second)] });
    expect(derOf((await journal.updated(2)).key)).toEqual(derOf(second.key));
    expect(agent.asked).toHaveLength(1);
  });

  it("of bytes that are no message replaces nothing", async () => {
    agent.give({ svids: [orders(first)] });
    watch();
    await journal.updated(1);
    agent.giveBytes(Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f, 1]));
    await journal.failed(/a message is refused/);
    expect(journal.updates).toHaveLength(1);
  });

  it("larger than the bound ends the stream, which is opened again", async () => {
    agent.give({ svids: [orders(first)] });
    watch({ maxMessageBytes: 4_096 });
    await journal.updated(1);
    agent.give({ svids: [{ ...orders(first), bundle: Buffer.alloc(8_192) }] });
    await journal.failed(/RESOURCE_EXHAUSTED/);
    agent.give({ svids: [orders(second)] });
    await journal.updated(2);
  });
});

describe("an agent", () => {
  it("that is not there yet is asked until it is", async () => {
    agent.stop();
    watch();
    await journal.failed(/UNAVAILABLE/);
    agent.give({ svids: [orders(first)] });
    await agent.start();
    await journal.updated(1);
  });

  it("that has been restarted on a new socket file is found, and what it gave stays meanwhile", async () => {
    agent.give({ svids: [orders(first)] });
    watch();
    await journal.updated(1);
    agent.stop();
    await journal.failed(/UNAVAILABLE/);
    agent.give({ svids: [orders(second)] });
    await agent.start();
    expect(derOf((await journal.updated(2)).key)).toEqual(derOf(second.key));
    expect(journal.withdrawals).toEqual([]);
  });

  it("that refuses this process is asked again, since it may know it later", async () => {
    agent.refusal = { code: status.PERMISSION_DENIED, details: "no identity issued" };
    watch();
    await journal.failed(/PERMISSION_DENIED: no identity issued/);
    expect(journal.withdrawals).toEqual([]);
    agent.refusal = undefined;
    agent.give({ svids: [orders(first)] });
    await journal.updated(1);
  });

  it("that refuses this process after it had an identity withdraws it", async () => {
    agent.give({ svids: [orders(first)] });
    watch();
    await journal.updated(1);
    agent.refusal = { code: status.PERMISSION_DENIED, details: "no identity issued" };
    agent.end(status.PERMISSION_DENIED, "no identity issued");
    expect((await journal.withdrawn()).message).toContain("PERMISSION_DENIED");
    agent.refusal = undefined;
    await journal.updated(2);
  });

  it.each([
    ["INVALID_ARGUMENT", status.INVALID_ARGUMENT],
    ["UNIMPLEMENTED", status.UNIMPLEMENTED],
  ])("that answers %s is not asked again", async (name, code) => {
    agent.refusal = { code, details: "no" };
    watch();
    expect((await journal.failed(new RegExp(name))).message).toContain("it is not asked again");
    // Longer than several pauses at their beginning.
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(agent.asked).toHaveLength(1);
  });

  it("that takes the call and says nothing is given up within the limit, and asked again", async () => {
    agent.isSilent = true;
    watch({ timeoutMs: 200 });
    await journal.failed(/no usable message within 200 ms/);
    agent.isSilent = false;
    agent.give({ svids: [orders(first)] });
    await journal.updated(1);
  });

  it("that hangs when the certificate should be renewed is asked again", async () => {
    const brief = await home.issue({ uris: [id], notAfter: new Date(Date.now() + 1_500) });
    agent.give({ svids: [orders(brief)] });
    watch();
    await journal.updated(1);
    await journal.failed(/no renewal in time/);
    await until("the stream is opened again", () => agent.asked.length >= 2);
  });

  it("loses its stream and its connection when the watch is closed, and nothing is told afterwards", async () => {
    agent.give({ svids: [orders(first)] });
    const started = watch();
    await journal.updated(1);
    started.close();
    await until("the stream is gone", () => agent.streams === 0);
    agent.stop();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(journal.updates).toHaveLength(1);
    expect(journal.failures).toEqual([]);
  });

  it("is never asked where the watch is closed at once", async () => {
    agent.give({ svids: [orders(first)] });
    watch().close();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(agent.asked).toEqual([]);
    expect(journal.updates).toEqual([]);
  });
});

describe("the options", () => {
  it.each<[object, RegExp]>([
    [{ sockets: "unix:///a" }, /has no option "sockets"/],
    [{ socket: "unix:///a", hint: "" }, /workloadApi.hint must be a string that is not empty/],
    [{ socket: "unix:///a", timeoutMs: 0 }, /workloadApi.timeoutMs must be from 1/],
    [{ socket: "http://127.0.0.1:1" }, /workloadApi.socket must be unix:\/\/\/absolute\/path or tcp:\/\/IP:PORT/],
  ])("that are wrong are refused at once: %j", (options, text) => {
    expect(() => workloadApi(options)).toThrow(text);
  });
});
