import { Resolver } from "node:dns/promises";
import { describeError } from "../../core/errors.ts";
import { withoutTrailingSlashes } from "../../core/http/without-trailing-slashes.ts";
import { lookUp } from "../lookup.ts";
import { likelyName, suggestionOf } from "../registry/likely-name.ts";
import type { RegistrySource } from "../registry/registry-source.ts";
import type { TlsFiles } from "../registry/tls-files.ts";
import { type Limits, limited, limitedSignal } from "../wait.ts";
import { clockFinding } from "./clock-check.ts";
import { consulFindings, type RegistryCheck } from "./consul-checks.ts";
import { type Finding, fail, ok, warn } from "./finding.ts";
import { probe, typeOf } from "./http-probe.ts";
import { instanceFindings } from "./instance-checks.ts";
import { nameFindings, serverCertificateFindings } from "./server-checks.ts";

/** Options of {@link registryFindings}. */
export interface SourceCheck extends Omit<RegistryCheck, "tls"> {
  /** TLS of the instances. */
  readonly instanceTls: TlsFiles;
}

/** All checks of the source of endpoints, and with a service of its instances. */
export async function* registryFindings(source: RegistrySource, options: SourceCheck): AsyncGenerator<Finding, void, undefined> {
  const check = { ...options, tls: source.tls };
  let { instanceTls } = options;
  switch (source.kind) {
    case "consul": {
      const url = new URL(source.access.url);
      yield* nameFindings(url, options);
      yield* serverCertificateFindings(url, source.tls, options);
      instanceTls = (yield* consulFindings(source.access, check)) ?? instanceTls;
      break;
    }
    case "eureka":
      for (const url of source.urls) yield* eurekaFindings(url, check);
      break;
    case "dns":
      yield* dnsFindings(source, options);
      break;
  }
  yield* adapterFindings(source, { ...options, instanceTls });
}

async function* eurekaFindings(text: string, check: RegistryCheck): AsyncGenerator<Finding, void, undefined> {
  const url = new URL(text);
  const authorization = Buffer.from(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`).toString("base64");
  const headers = url.username === "" && url.password === "" ? {} : { authorization: `Basic ${authorization}` };
  url.username = "";
  url.password = "";
  const path = withoutTrailingSlashes(url.pathname).replace(/\/apps$/, "");
  const base = `${url.origin}${path === "" ? "/eureka" : path}`;
  yield* nameFindings(url, check);
  yield* serverCertificateFindings(url, check.tls, check);
  try {
    const answer = await probe(`${base}/apps`, { ...check, headers });
    if (answer.status === 200 && isEurekas(answer.body)) yield ok("registry", `${base} answered after ${Math.round(answer.ms)} ms`);
    else if (answer.status === 200)
      yield fail(
        "registry",
        `${base} answered 200, but not as a Eureka server does${typeOf(answer)}`,
        "check the host, the port and the path",
      );
    else if (answer.status === 401 || answer.status === 403)
      yield fail("registry", `${base} answered ${answer.status}`, "it wants a user and a password: http://USER:PASSWORD@HOST/eureka");
    else yield fail("registry", `${base} answered ${answer.status}`, "check the path: most servers have /eureka, some none");
    yield clockFinding(answer);
  } catch (error) {
    yield fail("registry", `${base} cannot be reached (${describeError(error)})`, "check that the server runs, its address and firewalls");
  }
}

/** Whether a body is the list of a Eureka server, in JSON or in XML. */
function isEurekas(body: string): boolean {
  return /^\s*(\{\s*"applications"|(<\?xml[^>]*>\s*)?<applications)/.test(body);
}

/** Error codes of an answer: the server is there. */
const answers: ReadonlySet<unknown> = new Set(["ENOTFOUND", "ENODATA", "ESERVFAIL", "EREFUSED", "ENOTIMP"]);

/**
 * The zone of all services: `service.consul` for `{service}.service.consul`. The server is authoritative for it, while it would have to ask
 * others for the root. Without a zone in the template, the reverse zone of the loopback, which resolvers answer themselves.
 */
export function zoneOf(template: string): string {
  const labels = template.split(".");
  const behind = labels.slice(labels.findLastIndex((label) => label.includes("{service}")) + 1).filter((label) => label !== "");
  return behind.length === 0 ? "127.in-addr.arpa" : behind.join(".");
}

async function* dnsFindings(
  { template, servers }: { readonly template: string; readonly servers: readonly string[] | undefined },
  { timeoutMs, signal }: Limits,
): AsyncGenerator<Finding, void, undefined> {
  const asked = servers ?? new Resolver().getServers();
  for (const server of asked) {
    const resolver = new Resolver({ timeout: timeoutMs, tries: 1 });
    try {
      resolver.setServers([server]);
      await limited(resolver.resolveSoa(zoneOf(template)), { timeoutMs, signal }).catch((error: { code?: unknown }) => {
        if (!answers.has(error.code)) throw error;
      });
      yield ok("dns", `the server ${server} answers`);
    } catch (error) {
      resolver.cancel();
      signal.throwIfAborted();
      yield fail(
        "dns",
        `the server ${server} does not answer (${describeError(error)})`,
        "check --dns-server or /etc/resolv.conf, and that UDP gets there",
      );
    }
  }
}

/** The answer that a mesh would get through the adapter. */
async function* adapterFindings(
  { discovery }: RegistrySource,
  { service, timeoutMs, signal, instanceTls }: SourceCheck,
): AsyncGenerator<Finding, void, undefined> {
  const name = discovery.name ?? "discovery";
  try {
    if (service !== undefined)
      yield* await lookUp(discovery, service, { timeoutMs, signal }, async ({ update, ms }) => {
        const { endpoints } = update;
        if (endpoints.length === 0) return serviceFindings(name, update, await likelyName(discovery, service, signal, timeoutMs - ms));
        return [
          ...serviceFindings(name, update, undefined),
          ...(await instanceFindings(endpoints, { tls: instanceTls, timeoutMs, signal })),
        ];
      });
    else if (discovery.services !== undefined) {
      const count = (await discovery.services(limitedSignal({ signal, timeoutMs }))).length;
      yield count > 0
        ? ok("discovery", `${name} lists ${count} services`)
        : warn("discovery", `${name} lists no service`, "register one, or check what the token may read");
    }
  } catch (error) {
    signal.throwIfAborted();
    yield fail("discovery", describeError(error), "a mesh would get this error: see the checks above");
  } finally {
    await discovery.close?.();
  }
}

function serviceFindings(
  name: string,
  {
    service,
    endpoints,
    rejected,
  }: { readonly service: string; readonly endpoints: readonly unknown[]; readonly rejected: readonly { readonly reason: string }[] },
  likely: string | undefined,
): readonly Finding[] {
  const reasons = [...new Set(rejected.map(({ reason }) => reason))].slice(0, 3).join("; ");
  return [
    endpoints.length > 0
      ? ok("discovery", `${name} lists ${endpoints.length} endpoints of ${service}`)
      : fail(
          "discovery",
          `${name} lists no endpoint of ${service}`,
          `check the spelling (inmesh services), the health of its instances and what the token may read${suggestionOf(likely)}`,
        ),
    ...(rejected.length === 0
      ? []
      : [warn("discovery", `${rejected.length} entries are not used: ${reasons}`, "correct what these instances register")]),
  ];
}
