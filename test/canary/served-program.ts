// Serves requests with secrets in them, and tells where they could have come out: a process of its own, whose output is looked at too.
import { createHmac, generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createSocketServer } from "node:net";
import { admin } from "../../src/admin/admin.ts";
import { callerContext, clientCredentials, jwt } from "../../src/authentication/jwt.ts";
import { createMesh, fileIdentity, openTelemetry, staticDiscovery } from "../../src/index.ts";
import { consul } from "../../src/registries/consul.ts";
import { serve } from "../../src/server/server.ts";
import { prometheus } from "../../src/telemetry/prometheus.ts";
import { encoded, honestClaims, issuerKey, sign } from "../authentication/keys.ts";
import { askTls, credentialsOf, GivenIdentity } from "../server/entrance/secured.ts";
import { Authority } from "../support/authority.ts";
import { MetricsSdk, TracesSdk } from "../telemetry/support.ts";
import { whole } from "./sinks.ts";

/** The secrets by their names, and all outputs with what each has to show in any case. */
export interface ServedReport {
  readonly secrets: Readonly<Record<string, string>>;
  readonly outputs: readonly { readonly name: string; readonly marker: string; readonly text: string }[];
}

const leaks = process.argv[2] === "leaks";
const [metrics, traces] = [new MetricsSdk(), new TracesSdk()];
const scraped = prometheus();
const td = await Authority.create("td");
const [own, web] = [
  await td.issue({ uris: ["spiffe://td/orders"] }),
  await td.issue({ uris: ["spiffe://td/web"], addresses: ["127.0.0.1"] }),
];
const key = issuerKey("one");
const contextKey = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const shared = "c4n4ry-shared-secret-of-32-bytes-Ty6";
const now = Math.floor(Date.now() / 1_000);
const signedByShared = `${encoded({ alg: "HS256" })}.${encoded({ ...honestClaims(now), iss: "shared" })}`;
const sharedToken = `${signedByShared}.${createHmac("sha256", shared).update(signedByShared).digest("base64url")}`;
const secrets = {
  "server key": own.key,
  "client key": web.key,
  "context key": contextKey,
  token: await sign(key, { ...honestClaims(), sub: "alice", claim: "c4n4ry-claim-Bz7YpW13" }),
  "expired token": await sign(key, { ...honestClaims(), exp: 1_000, claim: "c4n4ry-expired-Kd5NrX86" }),
  claim: "c4n4ry-claim-Bz7YpW13",
  "shared secret": shared,
  "shared token": sharedToken,
  "client secret": "c4n4ry-client-secret-Vn2QwE47",
  "ACL token": "c4n4ry-acl-token-Hs8MfT59",
  "URL password": "c4n4ry-url-password-Gx3LcJ64",
  "query token": "c4n4ry-query-token-Pw9ZkD28",
  cookie: "c4n4ry-cookie-Rt5VbU31",
};

const errors: unknown[] = [];
const lines: string[] = [];
const accessLog: string[] = [];
const audit: unknown[] = [];
const attempt = async (run: () => unknown): Promise<unknown> => {
  try {
    return await run();
  } catch (error) {
    errors.push(error);
    console.error(error);
    return error;
  }
};
process.on("warning", (warning) => errors.push(warning));

const identityOf = (issued: typeof own) => new GivenIdentity(credentialsOf(issued, { bundles: new Map([["td", [td.certificate]]]) }));
const providers = [
  jwt({ issuer: "https://issuer.test", audience: "orders", jwks: { keys: [key.jwk] }, mode: "optional", name: "issuer" }),
  jwt({ issuer: "shared", audience: "orders", secret: Buffer.from(shared), mode: "optional", place: { header: "x-token" } }),
];
const rules = [
  { id: "no-admin", action: "deny", to: { paths: ["/admin"] } },
  { id: "seen", action: "audit" },
  { id: "web", action: "allow", from: { identities: ["spiffe://td/web"] } },
] as const;
const server = createServer((request, response) => {
  if (request.url?.startsWith("/fails") === true) response.destroy(new Error("a handler that fails"));
  else response.end("ok");
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const { port } = server.address() as AddressInfo;

// An agent that says all that it was told where it fails.
const broken = createServer((request, response) => response.writeHead(500).end(`${JSON.stringify(request.headers)} ${request.url}`));
await new Promise<void>((resolve) => broken.listen(0, "127.0.0.1", resolve));
const brokenUrl = `http://127.0.0.1:${(broken.address() as AddressInfo).port}`;
const registry = consul({ url: brokenUrl, token: secrets["ACL token"] });

const mesh = createMesh({
  discovery: staticDiscovery({ svc: [{ host: "127.0.0.1", port }] }),
  identity: identityOf(web),
  peer: { id: "spiffe://td/orders" },
  observers: [openTelemetry({ recordQuery: false }), scraped],
  retry: false,
  drainTimeoutMs: 0,
});
const serving = serve(server, {
  mesh,
  signals: [],
  lameDuckMs: 0,
  graceMs: 100,
  log: (line) => void lines.push(line),
  identity: identityOf(own),
  inbound: {
    authentication: providers,
    authorization: { policy: { rules }, audit: (record) => void audit.push(record) },
    accessLog: { write: (text) => void accessLog.push(text) },
  },
});
await serving.started;
const page = await admin(mesh, { port: 0 });
const context = callerContext({ issuer: "orders", key: contextKey });

const headers = (token: string) => ({ authorization: `Bearer ${token}`, cookie: `session=${secrets.cookie}` });
const ask = async (path: string, init: object = {}) => (await mesh.fetch(`svc${path}`, init)).text();
await attempt(() => ask(`/x?access_token=${secrets["query token"]}`, { headers: headers(secrets.token) }));
await attempt(() => ask("/x", { headers: headers(secrets["expired token"]) }));
await attempt(() => ask("/x", { headers: { "x-token": secrets["shared token"] } }));
await attempt(() => ask("/x", { headers: headers(`${secrets.token}x`) }));
await attempt(() => ask(`/admin?access_token=${secrets["query token"]}`, { headers: headers(secrets.token) }));
await attempt(() => ask(`/x/../admin?access_token=${secrets["query token"]}`, { headers: headers(secrets.token) }));
await attempt(() => ask("/fails", { headers: headers(secrets.token), method: "POST", body: secrets.claim }));
const stranger = await (await Authority.create("td")).issue({ uris: ["spiffe://td/web"] });
await attempt(() => askTls(port, { cert: stranger.chain, key: stranger.key, ca: td.certificate }));
await attempt(() => context.headers({ identity: undefined, address: undefined, tokens: [] }, { audience: "a" }));
await attempt(() => callerContext({ issuer: "a", key: `${contextKey}x`.replace("BEGIN", "BEGYN") }));
await attempt(() =>
  clientCredentials({ url: `https://a:${secrets["URL password"]}@login.test/`, clientId: "a", clientSecret: secrets["client secret"] }),
);
await attempt(() =>
  clientCredentials({
    url: "https://login.test/",
    clientId: "a",
    clientSecret: secrets["client secret"],
    fetch: (async (_: unknown, init?: RequestInit) => new Response(JSON.stringify(init), { status: 400 })) as typeof fetch,
  })("orders", new AbortController().signal),
);
await attempt(() => jwt({ issuer: "a", audience: "b", secret: secrets["shared secret"] as never }));
await attempt(() => jwt({ issuer: "a", audience: "b", jwks: { url: `https://a:${secrets["URL password"]}@issuer.test/` } }));
await attempt(() => fileIdentity({ cert: own.key, key: own.key, ca: own.key }));
await attempt(
  () =>
    new Promise((_, reject) => {
      const watch = new GivenIdentity({
        certificate: own.chain,
        key: web.key,
        trust: { authorities: [td.certificate], bundles: new Map() },
      });
      const other = createMesh({
        discovery: staticDiscovery({ svc: [{ host: "127.0.0.1", port }] }),
        identity: watch,
        discoveryTimeoutMs: 200,
        peer: { mode: "strict" },
      });
      other
        .fetch("svc/x")
        .catch(reject)
        .finally(() => void other.close());
    }),
);
await attempt(() => {
  const failing = createMesh({ discovery: registry, discoveryTimeoutMs: 300, drainTimeoutMs: 0 });
  return failing.fetch("svc/x").finally(() => failing.close());
});
await attempt(() => consul({ url: `http://a:${secrets["URL password"]}@127.0.0.1`, token: secrets["ACL token"] }));
const silent = createSocketServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
if (leaks) {
  const all = Object.values(secrets).join(" ");
  console.log(all);
  console.error(all);
  errors.push(new Error(all));
  for (const list of [lines, accessLog, audit]) list.push(all);
}

const get = async (path: string) => (await fetch(new URL(path, page.url))).text();
const added = leaks ? Object.values(secrets).join(" ") : "";
const outputs = [
  {
    name: "errors",
    marker: "ERR_MESH",
    text: errors.map((error) => `${String(error)} ${JSON.stringify(error)} ${whole(error)}`).join("\n"),
  },
  { name: "log", marker: "has refused a connection", text: lines.join("\n") },
  { name: "metrics", marker: "inmesh.server", text: `${whole(await metrics.collect())}${added}` },
  {
    name: "spans",
    marker: "url.path",
    text: `${whole(traces.spans.map(({ name, attributes, events, status }) => [name, attributes, events, status]))}${added}`,
  },
  { name: "scrape", marker: "inmesh_server", text: `${await scraped.metrics()}${added}` },
  { name: "page", marker: "svc", text: `${(await Promise.all(["api/mesh", "api/services/svc"].map(get))).join("\n")}${added}` },
  { name: "explain", marker: "available", text: `${whole(mesh.explain("svc"))} ${JSON.stringify(mesh.explain("svc"))}${added}` },
  { name: "objects", marker: "Mesh", text: `${whole([mesh, serving, context, providers, registry, page, ...rules])}${added}` },
  { name: "report of the process", marker: "javascriptStack", text: `${JSON.stringify(getReportOf())}${added}` },
];
await serving.stop();
await mesh.close();
outputs.push(
  { name: "access log", marker: "spiffe://td/web", text: accessLog.join("\n") },
  { name: "audit", marker: "no-admin", text: whole(audit) },
);
silent.close();
const report: ServedReport = { secrets, outputs };
await new Promise((resolve) => process.send?.(report, resolve));
process.exit();

/** Without the memory of the process, which no report has. */
function getReportOf(): object {
  return (process.report as unknown as { getReport(): object }).getReport();
}
