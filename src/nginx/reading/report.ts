import type { Place } from "../../documents/document-error.ts";
import { type Directive, faultOf, whereOf } from "../grammar/directive.ts";
import type { NginxError } from "../grammar/nginx-error.ts";
import { knownAs } from "./known-directives.ts";
import type { Level } from "./level.ts";

/** A part of a file that means something else to inmesh than to nginx, or nothing. */
export interface Notice {
  /** `nginx.conf:12:5` */
  readonly where: string;
  /** The name of the directive. */
  readonly directive: string;
  readonly text: string;
}

/** Takes what is to be said of a file while it is read. */
export class Report {
  readonly #notices = new Map<string, Notice>();
  readonly #supported = new WeakSet<Level>();
  /** Whether what is not supported makes the locations that have it answer 501, in place of an error. */
  readonly #isLenient: boolean;

  constructor(isLenient: boolean) {
    this.#isLenient = isLenient;
  }

  get notices(): readonly Notice[] {
    return [...this.#notices.values()];
  }

  /** The same is said once, however many names a server has. */
  notice(directive: Directive, text: string): void {
    const where = whereOf(directive);
    this.#notices.set(`${where} ${text}`, { where, directive: directive.name, text });
  }

  /**
   * The error about a directive that is not supported: it is thrown on, and where such directives are to be notices, caught for the location, which answers
   * 501 then.
   * @throws NginxError, unless such directives are to be notices.
   */
  unsupported(directive: Directive, problem: string, place?: Place): Unsupported {
    const fault = faultOf(directive, problem, place);
    if (!this.#isLenient) throw fault;
    this.notice(directive, `${problem}: answered with 501`);
    return new Unsupported(fault);
  }

  /**
   * Refuses what is not supported and stands in a server or a location, or around it.
   * @throws Unsupported, or NginxError
   */
  blockOf(level: Level): void {
    // A server is around each of its locations.
    if (this.#supported.has(level)) return;
    for (const directive of level.directives) {
      if (directive.args[0]?.text === "off" && directive.args.length === 1) continue;
      if (directive.name === "proxy_cache") throw this.unsupported(directive, "nothing is cached");
      if (directive.name === "proxy_intercept_errors") throw this.unsupported(directive, "answers of instances are not replaced by pages");
      if (directive.name === "proxy_redirect" && directive.args[0]?.text !== "default")
        throw this.unsupported(directive, "locations in answers of instances stay as they are");
      if (directive.name === "sticky") throw this.unsupported(directive, "it is of a newer nginx");
      const known = knownAs(directive);
      if (known.kind === "refused") throw this.unsupported(directive, known.reason);
    }
    if (level.parent !== undefined) this.blockOf(level.parent);
    this.#supported.add(level);
  }
}

/** Thrown through the reading of one location whose answer is 501. */
export class Unsupported extends Error {
  override readonly cause: NginxError;

  constructor(cause: NginxError) {
    super(cause.message);
    this.cause = cause;
  }
}
