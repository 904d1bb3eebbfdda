import { afterEach, describe, expect, it } from "vitest";
import { type ConsulOptions, consul } from "../../../../src/registries/consul.ts";
import { certificate } from "../../../support/certificate.ts";
import { IdentityJournal } from "../../../support/identity-journal.ts";
import { settle, until } from "../../../support/until.ts";
import { answer, refuse, type Script, scriptedConsul } from "../scripted-consul.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const trustDomain = "11111111-2222-3333-4444-555555555555.consul";
const roots = { TrustDomain: trustDomain, Roots: [{ RootCert: certificate.cert, Active: true }] };
const leaf = (overrides: object = {}): object => ({
  CertPEM: certificate.cert,
  PrivateKeyPEM: certificate.key,
  ServiceURI: `spiffe://${trustDomain}/ns/default/dc/dc1/svc/web`,
  ValidAfter: "2026-01-01T00:00:00Z",
  ValidBefore: "2126-01-01T00:00:00Z",
  ...overrides,
});

async function rig(script: Script, options: ConsulOptions = {}) {
  const server = await scriptedConsul(script);
  cleanups.push(() => server[Symbol.asyncDispose]());
  const heard = new IdentityJournal();
  const watch = consul({ url: server.url, minIntervalMs: 0, random: () => 0, ...options })
    .identity("web")
    .watch(heard);
  cleanups.push(() => watch.close());
  return { server, heard, watch };
}

const isLeaf = (path: string): boolean => path.endsWith("/leaf/web");

describe("the identity of a service in a Connect mesh", () => {
  it("is its leaf with all authorities, inactive ones too, under the trust domain", async () => {
    const second = certificate.cert.replace("MIIBoDCC", "MIIBoDCD");
    const { heard, server } = await rig(
      (request, response) => {
        if (request.query.has("index")) return;
        const both = { ...roots, Roots: [{ RootCert: certificate.cert }, { RootCert: second, Active: true }] };
        answer(response, isLeaf(request.path) ? leaf() : both);
      },
      { token: "the-token", datacenter: "dc1" },
    );
    await until("the credentials", () => heard.updates.length === 1);
    const [credentials] = heard.updates;
    expect(credentials?.certificate).toBe(certificate.cert);
    expect(credentials?.trust.authorities).toEqual([]);
    expect(credentials?.trust.bundles.get(trustDomain)).toHaveLength(2);
    expect(new Set(server.seen.map(({ path }) => path))).toEqual(new Set(["/v1/agent/connect/ca/leaf/web", "/v1/agent/connect/ca/roots"]));
    expect(server.seen[0]?.headers["x-consul-token"]).toBe("the-token");
    await until("both blocking queries", () => server.seen.filter(({ query }) => query.get("wait") === "60000ms").length === 2);
  });

  it("is told again when the authorities change, and not when an answer confirms them", async () => {
    let asked = 0;
    const { heard } = await rig((request, response) => {
      if (isLeaf(request.path)) {
        if (!request.query.has("index")) answer(response, leaf());
        return;
      }
      asked++;
      const changed = { ...roots, Roots: [...roots.Roots, { RootCert: certificate.cert.replace("MIIBoDCC", "MIIBoDCD") }] };
      if (asked <= 3) answer(response, asked < 3 ? roots : changed, { "x-consul-index": String(asked) });
    });
    await until("the new authorities", () => heard.updates.at(-1)?.trust.bundles.get(trustDomain)?.length === 2);
    expect(heard.updates.length).toBeLessThanOrEqual(2);
  });

  it("stays while the agent fails, and says which right the token lacks", async () => {
    let isForbidden = false;
    const { heard, server } = await rig(
      (request, response) => {
        if (isForbidden) refuse(response, 403, "Permission denied: token with AccessorID 'x' lacks permission 'service:write' on \"web\"");
        else if (!request.query.has("index")) answer(response, isLeaf(request.path) ? leaf() : roots);
        else {
          isForbidden = true;
          response.destroy();
        }
      },
      { token: "the-token" },
    );
    await until("a refusal", () => heard.failures.some(({ message }) => message.includes("403")));
    expect(heard.withdrawals).toEqual([]);
    expect(heard.updates).toHaveLength(1);
    const refusal = heard.failures.find(({ message }) => message.includes("403"))?.message;
    expect(refusal).toContain(`consul at ${server.url}: the identity of web: HTTP 403`);
    expect(refusal).toContain('the token needs service:write for "web"');
  });

  it("is withdrawn where the agent has no authority any more, and told again when it has", async () => {
    let isGone = false;
    const { heard } = await rig((request, response) => {
      if (!isLeaf(request.path)) {
        if (!request.query.has("index")) answer(response, roots);
      } else if (isGone) {
        isGone = false;
        refuse(response, 404, "not found");
      } else if (heard.withdrawals.length > 0 && request.query.has("index")) return;
      else {
        isGone = request.query.has("index");
        answer(response, leaf());
      }
    });
    await until("the withdrawal", () => heard.withdrawals.length === 1);
    await until("the identity", () => heard.updates.length === 2);
    expect(heard.withdrawals[0]?.message).toContain("no authority of Consul Connect");
  });

  it("is asked for without a wait when its end is near and no other has come", async () => {
    const soon = { ValidAfter: new Date(Date.now() - 3_600_000).toISOString(), ValidBefore: new Date(Date.now() + 60_000).toISOString() };
    const { server } = await rig((request, response) => {
      if (!request.query.has("index")) answer(response, isLeaf(request.path) ? leaf(soon) : roots);
    });
    await until("a second question", () => server.seen.filter(({ path }) => isLeaf(path)).length === 2);
    expect(server.seen.filter(({ path }) => isLeaf(path)).every(({ query }) => !query.has("index"))).toBe(true);
  });

  it.each([
    ["no key", leaf({ PrivateKeyPEM: "" }), "the answer has no key"],
    ["no certificate", leaf({ CertPEM: "none" }), "the answer has no certificate"],
    ["an id that is none", leaf({ ServiceURI: "spiffe://a/../b" }), "the answer has no SPIFFE id"],
    ["an id of another trust domain", leaf({ ServiceURI: "spiffe://other/svc/web" }), "the certificate is of the trust domain other"],
    ["a list", [], "the answer has no certificate"],
  ])("with %s is a failure, whose message has no key", async (_what, body, message) => {
    const { heard } = await rig((request, response) => {
      if (!request.query.has("index")) answer(response, isLeaf(request.path) ? body : roots);
    });
    await until("the failure", () => heard.failures.some((each) => each.message.includes(message)));
    expect(heard.updates).toEqual([]);
    expect(JSON.stringify(heard.failures.map(({ message: each }) => each))).not.toContain("PRIVATE");
  });

  it("tells nothing before watch returns and after it is closed, and asks for nothing more", async () => {
    const { heard, watch, server } = await rig((request, response) => {
      answer(response, isLeaf(request.path) ? leaf() : roots);
    });
    watch.close();
    const before = server.seen.length;
    await settle();
    expect(server.seen.length).toBeLessThanOrEqual(before + 2);
    expect(heard).toEqual(new IdentityJournal());
  });
});
