import { type Directive, type NginxError, readDirectives } from "../../nginx/nginx.ts";

/** The ports that stand for the addresses of a file. */
export interface Ports {
  /** The port for an address that the file listens on. */
  listen(address: string): number;
  /** The port of the instance that stands for a server. */
  server(address: string): number;
}

/** Directives that concern the machine of the file, or need its files. */
const left =
  /^(?:daemon|master_process|pid|lock_file|user|worker_\w+|error_log|access_log|log_format|open_log_file_cache|load_module|working_directory|env|debug_\w+|ssl_\w+|ssl|proxy_ssl_\w+|resolver|resolver_timeout|thread_pool|aio|events|types|http2\w*|http3\w*|quic\w*|(?:client_body|proxy|fastcgi|uwsgi|scgi)_temp_path|proxy_cache_path|set_real_ip_from|real_ip_\w+)$/;

/**
 * The directives of a file with all that it includes, as a file that runs anywhere: it listens on this machine, and its servers are instances here. TLS and
 * what needs files of its machine is left out. Rejects with a {@link NginxError}.
 */
export async function localFile(file: string, ports: Ports): Promise<string> {
  const directives = await readDirectives(file);
  const http = directives.find(({ name }) => name === "http")?.block ?? directives;
  const upstreams = new Set(http.filter(({ name }) => name === "upstream").map(({ args }) => args[0]?.text ?? ""));
  const inner = http.filter(({ name }) => name !== "include").flatMap((each) => textOf(each, "http", { ports, upstreams }));
  return `daemon off; master_process off; pid nginx.pid; error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
${inner.join("\n")}
}
`;
}

interface Replacing {
  readonly ports: Ports;
  readonly upstreams: ReadonlySet<string>;
}

function textOf(directive: Directive, within: string, replacing: Replacing): readonly string[] {
  const { name, block } = directive;
  if (left.test(name)) return [];
  const args = argsOf(directive, within, replacing).map(quotedWord);
  const head = [name, ...args].join(" ");
  if (block === undefined) return [`${head};`];
  const isServer = name === "server" && !block.some((each) => each.name === "listen");
  const inner = block.flatMap((each) => textOf(each, name, replacing));
  const listen = isServer ? [`listen 127.0.0.1:${replacing.ports.listen("*:80")};`] : [];
  return [`${head} {`, ...listen, ...inner, "}"];
}

function argsOf({ name, args }: Directive, within: string, { ports, upstreams }: Replacing): readonly string[] {
  const [first = "", ...rest] = args.map(({ text }) => text);
  if (name === "listen") {
    const isDefault = rest.some((each) => each === "default_server" || each === "default");
    return [`127.0.0.1:${ports.listen(addressOf(first))}`, ...(isDefault ? ["default_server"] : [])];
  }
  if (name === "server" && within === "upstream") return [`127.0.0.1:${ports.server(first)}`, ...rest.filter((each) => each !== "resolve")];
  if (name !== "proxy_pass") return args.map(({ text }) => text);
  const [, host = "", path = ""] = /^https?:\/\/([^/$]+)(.*)$/.exec(first) ?? [];
  if (host === "" || host.includes("$")) return [first];
  return [upstreams.has(host) ? `http://${host}${path}` : `http://127.0.0.1:${ports.server(host)}${path}`];
}

/** `80` and `*:80` are one. */
function addressOf(text: string): string {
  if (/^\d+$/.test(text)) return `*:${text}`;
  return /:\d+$/.test(text) || text.startsWith("unix:") ? text : `${text}:80`;
}

function quotedWord(text: string): string {
  return /^[\w./:=@$^*~?|+()[\]\\<>!,&%-]+$/.test(text) ? text : `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
