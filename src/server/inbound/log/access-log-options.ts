import { checkFunction, refuseOption } from "../../../core/settings/checks.ts";
import { optionTable, type Settled } from "../../../core/settings/option-table.ts";
import { choice, custom, integer, ratio, text } from "../../../core/settings/rules.ts";

/** The access log; `accessLog` in the options of `inbound`. */
export interface AccessLogOptions {
  /**
   * A line of JSON for each request, nginx's combined form, or that form with request time and upstream after it, as
   * `$request_time "$upstream_addr" "$upstream_status" "$upstream_response_time"` of nginx. @default "json"
   */
  readonly format?: "json" | "combined" | "combined-upstream";
  /** Share of the requests that are logged, 0 to 1; those that failed with 500 or more, or were cut off, are logged always. @default 1 */
  readonly sample?: number;
  /** The part of a query that is logged: the names of its parameters, nothing, or all of it. @default "names" */
  readonly query?: "names" | "none" | "values";
  /** Further headers of the request in lines of JSON; of those that carry secrets only that they were there. @default [] */
  readonly headers?: readonly string[];
  /**
   * Calls of the mesh, made while a request is served, that its line has: service, instance, status, attempts and duration of each. Further ones are
   * counted. 0: none. Not for `"combined"`. @default 8
   */
  readonly maxUpstreams?: number;
  /** File that lines are appended to. @default the standard output */
  readonly file?: string;
  /** Takes the lines instead, several at once; a promise is waited for before the next ones. @default none */
  readonly write?: (lines: string) => void | PromiseLike<void>;
  /** Characters of lines that wait to be written; further lines are dropped and counted. @default 1048576 */
  readonly maxBuffered?: number;
}

/** The rules of {@link AccessLogOptions}. */
export const accessLogOptions = optionTable<AccessLogOptions>()({
  format: choice(["json", "combined", "combined-upstream"], "json"),
  sample: ratio(1),
  query: choice(["names", "none", "values"], "names"),
  headers: custom<readonly string[]>({
    type: "string[]",
    default: [],
    check(option, value) {
      if (!(Array.isArray(value) && value.every((name) => typeof name === "string" && name !== "")))
        refuseOption(option, value, "an array of names of headers");
    },
  }),
  maxUpstreams: integer({ default: 8, min: 0, max: 100 }),
  file: text("the standard output"),
  write: custom<AccessLogOptions["write"]>({
    type: "(lines: string) => void | Promise<void>",
    default: undefined,
    defaultText: "none",
    check: checkFunction,
  }),
  maxBuffered: integer({ default: 1_048_576, min: 1_024 }),
});

/** {@link AccessLogOptions} with the defaults filled in. */
export type AccessLogSettings = Settled<typeof accessLogOptions.rules>;
