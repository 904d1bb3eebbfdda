import { quoted } from "../../core/text/clean-text.ts";
import { withoutHyphensAround } from "../../core/text/hyphens.ts";
import { type Directive, faultOf } from "../grammar/directive.ts";
import { keyText } from "../pickers/key-text.ts";
import { knownAs } from "../reading/known-directives.ts";
import type { Report } from "../reading/report.ts";
import { numberOf, onlyWord, timeOf } from "../reading/values.ts";
import { withValues } from "../reading/variables.ts";
import { addressOf, plainServer, serverSpec } from "./server-spec.ts";
import type { NginxMethod, ServerSpec, UpstreamSpec } from "./upstream-spec.ts";

/** Servers of one upstream. */
const maxServers = 10_000;
/** Sum of the weights: nginx has 160 points of a ring for each. */
const maxTotalWeight = 1_000_000;

/** The upstreams of a file by name, and those that a `proxy_pass` to an address implies. */
export class Upstreams {
  readonly #report: Report;
  readonly #byName = new Map<string, UpstreamSpec>();
  readonly #services = new Set<string>();

  constructor(directives: readonly Directive[], report: Report) {
    this.#report = report;
    for (const directive of directives) {
      const name = onlyWord(directive).text;
      const known = this.#byName.get(name);
      if (known !== undefined) throw faultOf(directive, `${quoted(name)} is there twice, first at line ${known.directive.place.line}`);
      this.#byName.set(name, this.#read(directive, name));
    }
  }

  get all(): readonly UpstreamSpec[] {
    return [...this.#byName.values()];
  }

  /** The upstream of a name, or the one that an address implies. */
  of(directive: Directive, text: string, defaultPort: number): UpstreamSpec {
    const known = this.#byName.get(text);
    if (known !== undefined) return known;
    const word = directive.args[0];
    if (word === undefined) throw faultOf(directive, "it needs an address");
    const address = addressOf(directive, word, text, defaultPort);
    const name = address.socketPath ?? `${address.host}${address.port === 80 ? "" : `:${address.port}`}`;
    const implied: UpstreamSpec = {
      name: text,
      service: this.#serviceOf(name),
      method: "roundRobin",
      key: undefined,
      servers: [plainServer(directive, address)],
      idleTimeoutMs: undefined,
      directive,
    };
    this.#byName.set(text, implied);
    return implied;
  }

  #read(directive: Directive, name: string): UpstreamSpec {
    const servers: ServerSpec[] = [];
    const method = new MethodOf();
    let idleTimeoutMs: number | undefined;
    if (directive.block === undefined) throw faultOf(directive, "it needs a block with its servers");
    for (const inner of directive.block) {
      if (inner.name === "server") servers.push(serverSpec(inner));
      else if (method.reads(inner)) continue;
      else if (inner.name === "keepalive") {
        numberOf(inner, inner.args[0]?.text ?? "", onlyWord(inner), [1, 1_000_000]);
        this.#report.notice(inner, "the mesh keeps idle connections by its own rules");
      } else if (inner.name === "keepalive_timeout") idleTimeoutMs = timeOf(inner);
      else if (inner.name === "zone") this.#report.notice(inner, "what a process learns of its servers is its own");
      else if (["keepalive_requests", "keepalive_time", "resolver", "resolver_timeout"].includes(inner.name))
        this.#report.notice(inner, "the mesh's own connections");
      else if (["sticky", "queue", "ntlm", "state", "least_time"].includes(inner.name))
        throw faultOf(inner, "it is of a newer or commercial nginx, and not supported");
      else {
        const known = knownAs(inner);
        throw faultOf(
          inner,
          known.kind === "read" ? "it does not stand in an upstream" : `it does not stand in an upstream (${known.reason})`,
        );
      }
    }
    this.#check(directive, name, servers, method);
    const { name: chosen, key } = method;
    // The name behind `proxy_pass`.
    const whole = key === undefined ? undefined : withValues(key, (each) => (each === "proxy_host" ? name : undefined));
    return { name, service: this.#serviceOf(name), method: chosen, key: whole, servers, idleTimeoutMs, directive };
  }

  #check(directive: Directive, name: string, servers: readonly ServerSpec[], method: MethodOf): void {
    if (!servers.some(({ isBackup }) => !isBackup)) throw faultOf(directive, `${quoted(name)} has no servers that are no backup`);
    if (servers.length > maxServers) throw faultOf(directive, `${quoted(name)} has ${servers.length} servers; ${maxServers} are allowed`);
    const total = servers.reduce((sum, { weight }) => sum + weight, 0);
    if (total > maxTotalWeight)
      throw faultOf(directive, `the weights of ${quoted(name)} are ${total} together; ${maxTotalWeight} are allowed`);
    const backup = servers.find(({ isBackup }) => isBackup);
    if (backup !== undefined && !["roundRobin", "leastConnections"].includes(method.name))
      throw faultOf(backup.directive, `backup does not go with ${method.directive?.name ?? "this method"}`);
    const known = new Map<string, Directive>();
    for (const { server, directive: each } of servers) {
      const first = known.get(server);
      if (first === undefined) known.set(server, each);
      else this.#report.notice(each, `${quoted(server)} is there twice, first at line ${first.place.line}: it gets both shares`);
    }
  }

  /** A name that calls can have, and no other service has. */
  #serviceOf(name: string): string {
    const labels = name
      .replace(/[^A-Za-z0-9_.-]+/g, "-")
      .split(".")
      .map((label) => withoutHyphensAround(label).slice(0, 63))
      .filter((label) => label !== "");
    const plain = labels.join(".").slice(0, 200) || "upstream";
    const base = /^(?:0x[0-9a-f]*|\d+)(?:\.(?:0x[0-9a-f]*|\d+))*$/i.test(plain) ? `ip-${plain.replaceAll(".", "-")}` : plain;
    let service = base;
    for (let count = 2; this.#services.has(service); count++) service = `${base}-${count}`;
    this.#services.add(service);
    return service;
  }
}

/** The directive that says how servers are chosen. */
class MethodOf {
  name: NginxMethod = "roundRobin";
  key: string | undefined = undefined;
  directive: Directive | undefined = undefined;

  /** Whether it was one. */
  reads(directive: Directive): boolean {
    const { name, args } = directive;
    if (!["least_conn", "random", "hash", "ip_hash"].includes(name)) return false;
    if (this.directive !== undefined) throw faultOf(directive, `${this.directive.name} says already how servers are chosen`);
    this.directive = directive;
    const [first, second, ...more] = args.map(({ text }) => text);
    if (more.length > 0) throw faultOf(directive, "it has too many values");
    if (name === "hash") {
      if (first === undefined || first === "") throw faultOf(directive, "it needs a key: hash $request_uri consistent;");
      if (second !== undefined && second !== "consistent")
        throw faultOf(directive, `there is "consistent", and no ${quoted(second)}`, args[1]?.place);
      this.key = first;
      try {
        keyText(
          withValues(first, (each) => (each === "proxy_host" ? "" : undefined)),
          () => undefined,
        );
      } catch (error) {
        throw faultOf(directive, (error as Error).message.replace(/^nginx: /, ""), args[0]?.place);
      }
      this.name = second === undefined ? "hash" : "consistentHash";
    } else if (name === "random") {
      if (first !== undefined && first !== "two") throw faultOf(directive, `there is "two", and no ${quoted(first)}`, args[0]?.place);
      if (second !== undefined && second !== "least_conn")
        throw faultOf(directive, `there is "least_conn", and no ${quoted(second)} without the commercial nginx`, args[1]?.place);
      this.name = first === undefined ? "random" : "randomTwo";
    } else {
      if (first !== undefined) throw faultOf(directive, "it takes no value");
      this.name = name === "least_conn" ? "leastConnections" : "ipHash";
    }
    return true;
  }
}
