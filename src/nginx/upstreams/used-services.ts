import { isDeepStrictEqual } from "node:util";
import { quoted } from "../../core/text/clean-text.ts";
import type { RouteOptions } from "../../routing/route-options.ts";
import { type Directive, faultOf } from "../grammar/directive.ts";
import type { Pass } from "../locations/pass.ts";
import type { Level } from "../reading/level.ts";
import type { Report } from "../reading/report.ts";
import { type PassOptions, passOptions } from "./pass-options.ts";
import type { UpstreamSpec } from "./upstream-spec.ts";

/** An upstream that a location passes requests to, and what its locations say of it. */
export interface UsedService {
  readonly upstream: UpstreamSpec;
  readonly isSecure: boolean;
  /** The name that its certificates must have. */
  readonly peerName: string | undefined;
  readonly options: PassOptions;
}

/** The files for TLS to instances; one set for the whole mesh. */
export interface TlsFiles {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Collects what the locations say of the upstreams that they pass requests to. */
export class UsedServices {
  readonly #services = new Map<UpstreamSpec, UsedService>();
  readonly #report: Report;
  readonly #isAsNginx: boolean;
  /** The number of servers that are not down. */
  readonly #up = new Map<UpstreamSpec, number>();
  #tls: TlsFiles | undefined = undefined;

  constructor(report: Report, isAsNginx: boolean) {
    this.#report = report;
    this.#isAsNginx = isAsNginx;
  }

  get all(): readonly UsedService[] {
    return [...this.#services.values()];
  }

  get tls(): TlsFiles | undefined {
    return this.#tls;
  }

  /** A location passes requests here. Returns the options that it has of its own, in place of those of the service. */
  use(pass: Pass, level: Level, directive: Directive): RouteOptions | undefined {
    const { upstream, isSecure } = pass;
    let servers = this.#up.get(upstream);
    if (servers === undefined) {
      servers = upstream.servers.filter(({ isDown }) => !isDown).length;
      this.#up.set(upstream, servers);
    }
    const options = passOptions(level, servers, this.#isAsNginx, this.#report);
    const peerName = isSecure ? this.#secure(pass, level, directive) : undefined;
    const known = this.#services.get(upstream);
    if (known === undefined) {
      this.#services.set(upstream, { upstream, isSecure, peerName, options });
      return undefined;
    }
    if (known.isSecure !== isSecure) throw faultOf(directive, `${upstream.name} is used with http:// and with https://`);
    if (known.peerName !== peerName)
      throw faultOf(directive, `${upstream.name} has two names for its certificates, ${known.peerName} and ${peerName}`);
    const most = (name: "connectTimeoutMs" | "readTimeoutMs") => Math.max(known.options[name], options[name]);
    const joined = { ...known.options, connectTimeoutMs: most("connectTimeoutMs"), readTimeoutMs: most("readTimeoutMs") };
    if (known.options.connectTimeoutMs !== options.connectTimeoutMs)
      this.#report.notice(directive, `of several proxy_connect_timeout for ${upstream.name} the longest holds`);
    this.#services.set(upstream, { ...known, options: joined });
    return isDeepStrictEqual(known.options.own, options.own) ? undefined : withoutBudget(options.own);
  }

  #secure({ host }: Pass, level: Level, directive: Directive): string {
    const verify = level.one("proxy_ssl_verify");
    if (verify?.args[0]?.text !== "on")
      this.#report.notice(directive, "certificates are verified: nginx does that with proxy_ssl_verify on only");
    const file = (name: string) => level.one(name)?.args[0]?.text;
    const [ca, cert, key] = [file("proxy_ssl_trusted_certificate"), file("proxy_ssl_certificate"), file("proxy_ssl_certificate_key")];
    const files = { ...(ca === undefined ? {} : { ca }), ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) };
    if (this.#tls !== undefined && !isDeepStrictEqual(this.#tls, files))
      throw faultOf(directive, "the files of proxy_ssl_ differ between locations: one set is supported for all");
    this.#tls = files;
    const name = level.one("proxy_ssl_name");
    const given = name === undefined ? host.replace(/:\d+$/, "") : level.resolved(name.args[0]?.text ?? "");
    if (given.includes("$")) throw faultOf(name ?? directive, `the name of a certificate has no variables: ${quoted(given)}`);
    return given;
  }
}

/** The budget of retries is that of the service. */
function withoutBudget(options: RouteOptions): RouteOptions {
  if (options.retry === undefined || options.retry === false) return options;
  const { budget: _, ...retry } = options.retry;
  return { ...options, retry };
}
