import { percentDecoded } from "../../core/http/percent-encoding.ts";
import type { Discovery } from "../../extend.ts";
import { dns, fileDiscovery, staticDiscovery } from "../../index.ts";
import type { Io } from "../io.ts";
import { readNamedFile } from "../named-file.ts";
import type { Values } from "../option-table.ts";
import { readWhole } from "../option-values.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { UsageError } from "../usage-error.ts";
import { type ConsulAccess, consulAccess } from "./consul-access.ts";
import type { registryOptions } from "./registry-options.ts";
import { staticList } from "./static-list.ts";
import { readTls, type TlsFiles } from "./tls-files.ts";

/** The values of the options of registries. */
export type RegistryValues = Values<typeof registryOptions>;

/** The source of endpoints: its adapter, and the data to ask it without the adapter, for checks. */
export type RegistrySource = { readonly discovery: Discovery; readonly tls: TlsFiles } & (
  | { readonly kind: "consul"; readonly access: ConsulAccess }
  | { readonly kind: "eureka"; readonly urls: readonly string[] }
  | { readonly kind: "dns"; readonly template: string; readonly servers: readonly string[] | undefined }
  | { readonly kind: "file" | "static" }
);

/** The options that name a source, of which only one may be given. */
const sources = ["consul", "eureka", "dns", "file", "static"] as const;
/** The sources of each further option. Given with another source it would have no effect, and is refused. */
const belongsTo: ReadonlyMap<keyof RegistryValues, readonly string[]> = new Map([
  ["token-file", ["consul"]],
  ["datacenter", ["consul"]],
  ["tag", ["consul"]],
  ["dns-server", ["dns"]],
  ["dns-port", ["dns"]],
  ["registry-ca", ["consul", "eureka"]],
  ["registry-cert", ["consul", "eureka"]],
  ["registry-key", ["consul", "eureka"]],
  ["registry-server-name", ["consul", "eureka"]],
]);

/**
 * The source of the options and the environment; with `isConnect` that of sidecars in Consul. Secrets in them are registered with the terminal first, so that they are never shown.
 * @throws UsageError for options that contradict each other; what the adapter throws for a wrong value.
 */
export async function registrySource(
  values: RegistryValues,
  io: Pick<Io, "env">,
  terminal: Terminal,
  isConnect = false,
): Promise<RegistrySource> {
  const given = sources.filter((source) => values[source] !== undefined);
  if (given.length > 1) throw new UsageError(`${given.map((source) => `--${source}`).join(" and ")}: only one source at a time`);
  const kind = given[0] ?? "consul";
  if (isConnect && kind !== "consul") throw new UsageError(`--connect-as does nothing with --${kind}`);
  for (const [option, owners] of belongsTo) {
    if (values[option] !== undefined && !owners.includes(kind)) throw new UsageError(`--${option} does nothing with --${kind}`);
  }
  try {
    return await make(kind, values, io.env, terminal, isConnect);
  } catch (error) {
    // The factories check their options, whose values come from the command line.
    if (error instanceof TypeError || error instanceof RangeError) throw new UsageError(error.message, { cause: error });
    // Consul may not have been meant.
    if (given.length === 0 && error instanceof Error)
      throw new Error(`${error.message}; or name another source by --eureka, --dns, --file or --static`, { cause: error });
    throw error;
  }
}

async function make(
  kind: (typeof sources)[number],
  values: RegistryValues,
  env: Io["env"],
  terminal: Terminal,
  isConnect: boolean,
): Promise<RegistrySource> {
  const tls = await readTls({
    ca: values["registry-ca"] ?? (kind === "consul" ? env["CONSUL_CACERT"] : undefined),
    cert: values["registry-cert"] ?? (kind === "consul" ? env["CONSUL_CLIENT_CERT"] : undefined),
    key: values["registry-key"] ?? (kind === "consul" ? env["CONSUL_CLIENT_KEY"] : undefined),
  });
  switch (kind) {
    case "consul": {
      const access = consulAccess(values, env);
      if (access.token !== undefined) terminal.hide(typeof access.token === "string" ? access.token : await firstLine(access.token.file));
      const servername = values["registry-server-name"] ?? env["CONSUL_TLS_SERVER_NAME"];
      const { consul } = await import("../../registries/consul.ts");
      const discovery = consul({
        url: access.url,
        ...(access.token === undefined ? {} : { token: access.token }),
        ...(access.url.startsWith("https:") ? { tls: { ...tls, ...(servername ? { serverName: servername } : {}) } } : {}),
        ...(values.datacenter === undefined ? {} : { datacenter: values.datacenter }),
        ...(env["CONSUL_PARTITION"] ? { partition: env["CONSUL_PARTITION"] } : {}),
        tags: values.tag ?? [],
        connect: isConnect,
      });
      return { kind, discovery, access, tls: { ...tls, servername } };
    }
    case "eureka": {
      const urls = (values.eureka ?? []).map((url) => withCredentials(url, env));
      for (const url of urls) for (const part of credentialsOf(url)) terminal.hide(part);
      const servername = values["registry-server-name"];
      const { eureka } = await import("../../registries/eureka.ts");
      const discovery = eureka({ servers: urls, tls: { ...tls, ...(servername ? { serverName: servername } : {}) } });
      return { kind, discovery, urls, tls: { ...tls, servername } };
    }
    case "dns": {
      const port = values["dns-port"];
      const servers = values["dns-server"];
      const template = values.dns ?? "{service}";
      const discovery = dns({
        name: template,
        ...(servers === undefined ? {} : { servers }),
        ...(port === undefined ? {} : { port: readWhole("dns-port", port, 1, 65_535) }),
      });
      return { kind, discovery, template, servers, tls };
    }
    case "file":
      return { kind, discovery: fileDiscovery(values.file ?? ""), tls };
    case "static":
      return { kind, discovery: staticDiscovery(staticList(values.static ?? [])), tls };
  }
}

/** The content of the file; `undefined` when it cannot be read, which the adapter reports. */
async function firstLine(file: string): Promise<string | undefined> {
  return (await readNamedFile(file).catch(() => undefined))?.toString("utf8").trim();
}

/** The URL with the user and password of the environment, which the list of processes does not show, unless it has its own. */
function withCredentials(url: string, env: Io["env"]): string {
  const { EUREKA_USERNAME: username, EUREKA_PASSWORD: password } = env;
  const parsed = URL.parse(url);
  if (!username || !password || parsed === null || parsed.username !== "" || parsed.password !== "") return url;
  parsed.username = encodeURIComponent(username);
  parsed.password = encodeURIComponent(password);
  return parsed.href;
}

/** The password of a URL, as written and decoded, and the credentials as a header carries them. */
function credentialsOf(url: string): readonly string[] {
  if (!URL.canParse(url)) return [];
  const { username, password } = new URL(url);
  if (password === "") return [];
  const decoded = (text: string): string => percentDecoded(text) ?? text;
  return [password, decoded(password), Buffer.from(`${decoded(username)}:${decoded(password)}`).toString("base64")];
}
