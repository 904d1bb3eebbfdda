import { quoted } from "../../core/text/clean-text.ts";
import type { RouteOptions } from "../../routing/route-options.ts";
import { type Directive, faultOf } from "../grammar/directive.ts";
import type { Level } from "../reading/level.ts";
import type { Report } from "../reading/report.ts";
import { numberOf, onlyWord, timeOf } from "../reading/values.ts";

/** Time limits of nginx and the rules by which it asks the next server, as options of a service. */
export interface PassOptions {
  readonly connectTimeoutMs: number;
  readonly readTimeoutMs: number;
  /** Those that a route may have of its own. */
  readonly own: RouteOptions;
}

/** The methods that nginx knows and repeats; the others are POST, LOCK and PATCH. */
const repeated = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "MKCOL", "COPY", "MOVE", "PROPFIND", "PROPPATCH", "UNLOCK"] as const;
const notRepeated = ["POST", "LOCK", "PATCH"] as const;
const conditions: Readonly<Record<string, readonly (string | number)[]>> = {
  error: ["connect", "refused", "reset"],
  timeout: ["timeout"],
  // An answer that is not HTTP is a connection that broke.
  invalid_header: ["reset"],
  http_500: [500],
  http_502: [502],
  http_503: [503],
  http_504: [504],
  http_403: [403],
  http_404: [404],
  http_429: [429],
};
/** The most attempts that a mesh makes for one call. */
const maxAttempts = 100;

/**
 * Reads the time limits of a location and when it asks the next server.
 * @param servers those of the upstream that are not down
 * @param isAsNginx whether the file decides on retries, or the mesh's own defaults
 */
export function passOptions(level: Level, servers: number, isAsNginx: boolean, report: Report): PassOptions {
  const time = (name: string): number => {
    const directive = level.one(name);
    return directive === undefined ? 60_000 : Math.max(1, timeOf(directive));
  };
  const [connectTimeoutMs, readTimeoutMs] = [time("proxy_connect_timeout"), time("proxy_read_timeout")];
  const send = level.one("proxy_send_timeout");
  if (send !== undefined && timeOf(send) !== readTimeoutMs)
    report.notice(send, "the time without progress while a body goes out is that of proxy_read_timeout");
  const retry = isAsNginx ? { retry: retriesOf(level, servers) } : {};
  return { connectTimeoutMs, readTimeoutMs, own: { timeoutMs: false, attemptTimeoutMs: readTimeoutMs, ...(retry as RouteOptions) } };
}

function retriesOf(level: Level, servers: number): object | false {
  const next = level.one("proxy_next_upstream");
  const words = next?.args.map(({ text }) => text) ?? ["error", "timeout"];
  const unknown = next?.args.find(({ text }) => text !== "off" && text !== "non_idempotent" && conditions[text] === undefined);
  if (next !== undefined && unknown !== undefined)
    throw faultOf(
      next,
      `there is no ${quoted(unknown.text)}; there are ${Object.keys(conditions).join(", ")}, non_idempotent and off`,
      unknown.place,
    );
  const tries = numberIn(level.one("proxy_next_upstream_tries"));
  const attempts = Math.min(tries === 0 ? servers : Math.min(tries, servers), maxAttempts);
  if (words.includes("off") || attempts < 2) return false;
  const within = level.one("proxy_next_upstream_timeout");
  const withinMs = within === undefined ? 0 : timeOf(within);
  const isForAll = words.includes("non_idempotent");
  return {
    maxAttempts: attempts,
    on: [...new Set(words.flatMap((word) => conditions[word] ?? []))],
    methods: isForAll ? [...repeated, ...notRepeated] : [...repeated],
    baseDelayMs: 0,
    maxDelayMs: 0,
    heedRetryAfter: false,
    ...(withinMs === 0 ? {} : { withinMs }),
    budget: { ratio: 1, minRetriesPerSecond: 1_000_000 },
  };
}

function numberIn(directive: Directive | undefined): number {
  if (directive === undefined) return 0;
  const word = onlyWord(directive);
  return numberOf(directive, word.text, word, [0, 1_000_000]);
}
