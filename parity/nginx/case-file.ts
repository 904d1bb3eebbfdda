import type { ParityCase } from "../parity-case.ts";

/** A case with a part of a file of nginx: `@0` stands for the port of the first instance, `@one` for the name of an upstream of it, `@host` for its host. */
export interface NginxCase extends ParityCase {
  readonly nginx: NginxPart;
}

/** The parts of a file that a case brings. */
export interface NginxPart {
  /** What stands in `upstream @one`. @default all instances */
  readonly upstream?: string;
  /** What stands in its server. @default all to `@one` */
  readonly server?: string;
  /** What stands beside: further upstreams, maps. */
  readonly http?: string;
  /** Servers in place of its one. */
  readonly servers?: string;
}

/** A case with the ports of its instances. */
export interface PlacedCase {
  readonly parityCase: NginxCase;
  readonly ports: readonly number[];
}

/** The name of a case as it may stand in hosts and in upstreams. */
export function labelOf({ name }: ParityCase): string {
  return name.replace(/[^a-z0-9]+/gi, "-").toLowerCase();
}

/** The host of a case. */
export function hostOf(parityCase: ParityCase): string {
  return `${labelOf(parityCase)}.test`;
}

/** A file of nginx with the upstreams and servers of these cases, in one process: a worker has turns of its own. */
export function nginxFile(cases: readonly PlacedCase[], listenPort: number): string {
  return `daemon off; master_process off; pid nginx.pid; error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server_names_hash_bucket_size 256; server_names_hash_max_size 4096; variables_hash_max_size 4096; map_hash_bucket_size 256;
${cases.map((each) => partOf(each, listenPort)).join("\n")}
}
`;
}

function partOf({ parityCase, ports }: PlacedCase, listenPort: number): string {
  const { upstream = ports.map((_, index) => `server 127.0.0.1:@${index};`).join(" "), server, http = "", servers } = parityCase.nginx;
  const inner = server ?? "location / { proxy_pass http://@one; }";
  const text = `${http}
  upstream @one { ${upstream} }
  ${servers ?? `server { listen 127.0.0.1:@listen; server_name @host; ${inner} }`}`;
  return text
    .replaceAll("@listen", String(listenPort))
    .replace(/@(\d+)\b/g, (_whole, place: string) => String(ports[Number(place)]))
    .replaceAll("@host", hostOf(parityCase))
    .replaceAll("$@", `$${labelOf(parityCase).replaceAll("-", "_")}_`)
    .replace(/@([a-z]+)\b/g, (_whole, name: string) => `${labelOf(parityCase)}-${name}`);
}
