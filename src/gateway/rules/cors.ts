import { refuseOption } from "../../core/settings/checks.ts";
import { optionTable, type Settled } from "../../core/settings/option-table.ts";
import { custom, flag, integer } from "../../core/settings/rules.ts";

/** The pages of other origins that may read answers (CORS, as the Fetch standard has it). */
export interface CorsOptions {
  /** The origins, such as `https://shop.example`; `"*"` for all, which `credentials` forbids. @default none */
  readonly origins?: "*" | readonly string[];
  /** The methods that they may use beside GET, HEAD and POST. @default ["PUT","PATCH","DELETE"] */
  readonly methods?: readonly string[];
  /** The headers that they may send beside the safe ones. @default content-type and authorization */
  readonly headers?: readonly string[];
  /** The headers of answers that they may read beside the safe ones. @default [] */
  readonly exposed?: readonly string[];
  /** Whether they may send cookies and certificates. @default false */
  readonly credentials?: boolean;
  /** How long a browser remembers these permissions, in seconds. @default 600 */
  readonly maxAgeSeconds?: number;
}

/** The rules of {@link CorsOptions}. */
export const corsOptions = optionTable<CorsOptions>()({
  origins: custom<"*" | readonly string[] | undefined>({
    type: '"*" | string[]',
    default: undefined,
    defaultText: "none",
    check(option, value) {
      if (value === "*") return;
      const isOrigin = (each: unknown) => typeof each === "string" && URL.canParse(each) && new URL(each).origin === each;
      if (!(Array.isArray(value) && value.every(isOrigin))) refuseOption(option, value, 'origins such as ["https://shop.example"], or "*"');
    },
  }),
  methods: tokens(["PUT", "PATCH", "DELETE"]),
  headers: tokens(["content-type", "authorization"], "content-type and authorization"),
  exposed: tokens([]),
  credentials: flag(false),
  maxAgeSeconds: integer({ default: 600, min: 0, max: 86_400 }),
});

/** @throws TypeError for options that contradict each other. */
export function checkCors(option: string, { origins, credentials }: CorsOptions): void {
  if (origins === "*" && credentials === true)
    throw new TypeError(`${option}: credentials need a list of origins: with "*", every page could act as its visitor`);
}

/** Decides on requests of other origins. */
export class Cors {
  readonly #settings: Settled<typeof corsOptions.rules>;
  readonly #origins: ReadonlySet<string> | "*";

  constructor(options: CorsOptions) {
    this.#settings = corsOptions.settle(options);
    const { origins = [] } = this.#settings;
    this.#origins = origins === "*" ? "*" : new Set(origins);
  }

  /** The headers that an answer to a request of this origin has more, names and values in turn. */
  headersFor(origin: string | undefined): readonly string[] {
    const { credentials, exposed } = this.#settings;
    // A cache must not give the answer for one origin to another one.
    const varied = this.#origins === "*" ? [] : ["vary", "origin"];
    if (!this.#allows(origin)) return varied;
    return [
      ...varied,
      "access-control-allow-origin",
      this.#origins === "*" ? "*" : (origin as string),
      ...(credentials ? ["access-control-allow-credentials", "true"] : []),
      ...(exposed.length === 0 ? [] : ["access-control-expose-headers", exposed.join(", ")]),
    ];
  }

  /** The headers of the answer to a question of a browser before the request itself. */
  preflightFor(origin: string | undefined): readonly string[] {
    const { methods, headers, maxAgeSeconds } = this.#settings;
    if (!this.#allows(origin)) return this.headersFor(origin);
    return [
      ...this.headersFor(origin),
      "access-control-allow-methods",
      ["GET", "HEAD", "POST", ...methods].join(", "),
      ...(headers.length === 0 ? [] : ["access-control-allow-headers", headers.join(", ")]),
      "access-control-max-age",
      String(maxAgeSeconds),
    ];
  }

  #allows(origin: string | undefined): boolean {
    return origin !== undefined && (this.#origins === "*" || this.#origins.has(origin));
  }
}

function tokens(fallback: readonly string[], defaultText?: string) {
  return custom<readonly string[]>({
    type: "string[]",
    default: fallback,
    defaultText,
    check(option, value) {
      if (!(Array.isArray(value) && value.every((each) => typeof each === "string" && /^[\w!#$%&'+.^`|~-]+$/.test(each))))
        refuseOption(option, value, "an array of tokens of HTTP");
    },
  });
}
