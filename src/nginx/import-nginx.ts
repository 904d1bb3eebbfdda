import { quoted } from "../core/text/clean-text.ts";
import type { Route } from "../routing/route.ts";
import type { Directive } from "./grammar/directive.ts";
import { faultOf } from "./grammar/directive.ts";
import { NginxError } from "./grammar/nginx-error.ts";
import { readDirectives } from "./grammar/read-directives.ts";
import { listenersOf, type NginxListener } from "./locations/nginx-listener.ts";
import { serversOf } from "./locations/server-routes.ts";
import { checkDirectives } from "./reading/check-directives.ts";
import { Level } from "./reading/level.ts";
import { mapsOf, splitsOf } from "./reading/maps.ts";
import { type Notice, Report } from "./reading/report.ts";
import { type Resolve, systemResolver } from "./upstreams/endpoints.ts";
import { plain, servicesData } from "./upstreams/services-data.ts";
import { Upstreams } from "./upstreams/upstreams.ts";
import { UsedServices } from "./upstreams/used-services.ts";

/** How a file of nginx is taken. */
export interface ImportNginxOptions {
  /**
   * Whose rules say which calls are sent again: those of the file, by which PUT and DELETE are repeated although they may have been executed, or the mesh's
   * own. @default "as-nginx"
   */
  readonly retries?: "as-nginx" | "inmesh";
  /** The address, as `listen` has it (`80`, `127.0.0.1:8080`), whose servers answer the calls of the mesh. @default the only one, else the first that passes requests on */
  readonly listen?: string;
  /**
   * How a location with a directive that is not supported is taken: the file is refused, or such locations answer 501, and the directive is a notice.
   * @default "refuse"
   */
  readonly unsupported?: "refuse" | "answer-501";
  /** Whether names of servers are resolved now, one instance for each address, as nginx does when it starts, or kept. @default "resolve" */
  readonly names?: "resolve" | "keep";
  /** The directory that paths of `include` are relative to. @default the directory of the file */
  readonly prefix?: string;
  /** Resolves the names of servers. @default the resolver of the machine */
  readonly resolve?: Resolve;
  /** The clients of `ip_hash`: a mesh has one only while it answers requests, as in `serve` and in the gateway. @default "none": a file with ip_hash is refused */
  readonly clients?: "served" | "none";
}

/** A file of nginx as the configuration of a mesh. */
export interface ImportedNginx {
  /** The configuration as data, as a file in YAML would have it. */
  readonly data: Readonly<Record<string, unknown>>;
  /** Each part that means something else to inmesh than to nginx, or nothing. */
  readonly notices: readonly Notice[];
  /** The addresses that the file listens on, for a gateway. */
  readonly listeners: readonly NginxListener[];
  /** The file and those that it includes, in the order in which they were met. */
  readonly files: readonly string[];
}

/**
 * Reads a file of nginx, with all that it includes, as the configuration of a mesh. What is not supported is an error, and never left out.
 * Rejects with a {@link NginxError} that names file, line, column, directive and reason.
 */
export async function importNginx(file: string, options: ImportNginxOptions = {}): Promise<ImportedNginx> {
  const { retries = "as-nginx", unsupported = "refuse", names = "resolve" } = options;
  const directives = await readDirectives(file, options.prefix);
  const report = new Report(unsupported === "answer-501");
  const http = httpOf(directives, file);
  checkDirectives(directives, report);
  const upstreams = new Upstreams(http.own("upstream"), report);
  const services = new UsedServices(report, retries === "as-nginx");
  const reader = { upstreams, services, report, maps: mapsOf(http.own("map")), splits: splitsOf(http.own("split_clients")) };
  const servers = serversOf(http);
  const listeners = listenersOf(servers, reader);
  for (const server of servers)
    for (const page of server.level.own("error_page")) report.notice(page, "failures are answered by the gateway");
  const chosen = chosenListener(listeners, options.listen, file);
  const others = listeners.filter((each) => each !== chosen).map(({ address }) => address);
  const [first] = servers;
  if (chosen !== undefined && first !== undefined && others.length > 0)
    report.notice(first.directive, `calls of the mesh are those at ${chosen.address}; the file listens on ${others.join(", ")} too`);
  const data = await servicesData(upstreams, services, {
    resolve: names === "keep" ? undefined : (options.resolve ?? systemResolver),
    hasClients: options.clients === "served",
    report,
  });
  const routes: readonly Route[] = chosen?.routes ?? [];
  return {
    data: { ...data, ...(routes.length === 0 ? {} : { routes: plain(routes) }) },
    notices: report.notices,
    listeners,
    files: filesOf(directives, file),
  };
}

function filesOf(directives: readonly Directive[], file: string): readonly string[] {
  const files = new Set([file]);
  const add = (each: Directive): void => {
    files.add(each.file);
    each.block?.forEach(add);
  };
  directives.forEach(add);
  return [...files];
}

/** The block of `http`, or the whole file where that is a part which another one includes. */
function httpOf(directives: readonly Directive[], file: string): Level {
  const [http, second] = directives.filter(({ name }) => name === "http");
  if (second !== undefined) throw faultOf(second, "it is there twice");
  const outside = directives.find(({ name }) => name === "server" || name === "upstream" || name === "location");
  if (http !== undefined && outside !== undefined) throw faultOf(outside, "it stands outside of http");
  if (http === undefined && outside === undefined) throw new NginxError(file, "it has neither a server nor an upstream");
  const main = http === undefined ? undefined : new Level(directives, undefined);
  const level = new Level(http === undefined ? directives : (http.block ?? []), main);
  const location = level.own("location")[0];
  if (location !== undefined) throw faultOf(location, "it stands outside of a server");
  return level;
}

function chosenListener(listeners: readonly NginxListener[], wanted: string | undefined, file: string): NginxListener | undefined {
  if (wanted === undefined)
    return listeners.find(({ routes }) => routes.some(({ to, split }) => to !== undefined || split !== undefined)) ?? listeners[0];
  const found = listeners.find(({ address, port }) => address === wanted || (/^\d+$/.test(wanted) && port === Number(wanted)));
  if (found !== undefined) return found;
  throw new NginxError(
    file,
    `listen: the file does not listen on ${quoted(wanted)}; it does on ${listeners.map(({ address }) => address).join(", ")}`,
  );
}
