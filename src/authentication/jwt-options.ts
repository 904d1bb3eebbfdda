import type { Clock } from "../core/clock.ts";
import { checkChoice, checkText, refuseOption } from "../core/settings/checks.ts";
import { clockRule } from "../core/settings/clock-rule.ts";
import { optionTable, type Settled } from "../core/settings/option-table.ts";
import { choice, custom, number, text } from "../core/settings/rules.ts";
import { isSafeUrl } from "./key-download.ts";
import { placeOf, type TokenPlaceOption } from "./token-place.ts";
import { type PublicAlgorithm, type PublicJwk, publicAlgorithms } from "./verification-key.ts";

/** Where the public keys of an issuer are: at a URL, in a file, or here. */
export type JwksOption = { readonly url: string } | { readonly file: string } | { readonly keys: readonly PublicJwk[] };

/** Options of `jwt`. */
export interface JwtOptions {
  /** The issuer, exactly as the claim `iss` has it. */
  readonly issuer: string;
  /** The names of this service as a receiver of tokens; the claim `aud` has to have one of them. */
  readonly audience: string | readonly string[];
  /** The public keys of the issuer. The URL is `https:`, or `http:` on this machine; a redirect is not followed. Either this or `secret`. */
  readonly jwks?: JwksOption;
  /** A shared secret of at least 32 bytes, for tokens by HS256, HS384 and HS512, which no public key ever allows. */
  readonly secret?: Uint8Array;
  /** The algorithms that keys of the issuer may be used with. @default all with a public key */
  readonly algorithms?: readonly PublicAlgorithm[];
  /** Whether a request without a token of this provider is refused. A token that does not hold is refused in any case. @default "required" */
  readonly mode?: "required" | "optional";
  /** Names the provider in the verified token, and in the rules of authorization. @default the issuer */
  readonly name?: string;
  /** The place of the token: `"bearer"`, or `{ header }`, `{ cookie }`, `{ query }` with a name. @default "bearer" */
  readonly place?: TokenPlaceOption;
  /** The type that the header `typ` must have. @default none, "JWT" or "at+jwt" */
  readonly type?: string;
  /** The difference between clocks that is allowed, in milliseconds. @default 30000 */
  readonly skewMs?: number;
  /** The longest time that a token may still hold, in milliseconds. @default 86400000 */
  readonly maxLifetimeMs?: number;
  /** The age at which keys are asked for again in the background, in milliseconds; of a file at most 10 s. @default 300000 */
  readonly refreshMs?: number;
  /** The least time between two questions because of a key id that is not known, in milliseconds. @default 30000 */
  readonly cooldownMs?: number;
  /** The age from which keys that could not be renewed are not used any more, in milliseconds. @default 86400000 */
  readonly maxStaleMs?: number;
  /** Asks for the keys, as for an authority of one's own. @default the process's own fetch */
  readonly fetch?: typeof fetch;
  /** The source of time, for tests. @default the process's own clock */
  readonly clock?: Clock;
}

const day = 86_400_000;

/** The rules of {@link JwtOptions}. */
export const jwtOptions = optionTable<JwtOptions>()({
  issuer: custom<string>({ type: "string", default: "", check: checkText }),
  audience: custom<string | readonly string[]>({
    type: "string | string[]",
    default: [],
    check(option, value) {
      const names = Array.isArray(value) ? (value as readonly unknown[]) : [value];
      if (names.length === 0 || !names.every((each) => typeof each === "string" && each !== ""))
        refuseOption(option, value, "a name, or an array of names");
    },
  }),
  jwks: custom<JwksOption | undefined>({ type: "{ url } | { file } | { keys }", default: undefined, check: checkJwks }),
  secret: custom<Uint8Array | undefined>({
    type: "Uint8Array",
    default: undefined,
    check(option, value) {
      if (!(value instanceof Uint8Array) || value.length < 32) throw new TypeError(`${option} must be at least 32 bytes in a Uint8Array`);
    },
  }),
  algorithms: custom<readonly PublicAlgorithm[]>({
    type: "string[]",
    default: publicAlgorithms,
    defaultText: "all with a public key",
    check(option, value) {
      if (!Array.isArray(value) || value.length === 0) refuseOption(option, value, "an array of algorithms");
      for (const each of value as readonly unknown[]) checkChoice(option, each, publicAlgorithms);
    },
  }),
  mode: choice(["required", "optional"], "required"),
  name: text("the issuer"),
  place: custom<TokenPlaceOption>({
    type: '"bearer" | { header } | { cookie } | { query }',
    default: "bearer",
    check: (option, value) => void placeOf(option, value),
  }),
  type: text('none, "JWT" or "at+jwt"'),
  skewMs: number({ default: 30_000, min: 0, max: 60_000, unit: "ms" }),
  maxLifetimeMs: number({ default: day, min: 1_000, unit: "ms" }),
  refreshMs: number({ default: 300_000, min: 1_000, max: day, unit: "ms" }),
  cooldownMs: number({ default: 30_000, min: 1_000, max: day, unit: "ms" }),
  maxStaleMs: number({ default: day, min: 1_000, max: 7 * day, unit: "ms" }),
  fetch: custom<typeof fetch>({
    type: "typeof fetch",
    default: (...args: Parameters<typeof fetch>) => fetch(...args),
    defaultText: "the process's own fetch",
    check(option, value) {
      if (typeof value !== "function") refuseOption(option, value, "a function");
    },
  }),
  clock: clockRule,
});

/** {@link JwtOptions} with the defaults filled in. */
export type JwtSettings = Settled<typeof jwtOptions.rules>;

function checkJwks(option: string, value: unknown): void {
  const { url, file, keys } = (value ?? {}) as { url?: unknown; file?: unknown; keys?: unknown };
  if (typeof value !== "object" || [url, file, keys].filter((each) => each !== undefined).length !== 1)
    throw new TypeError(`${option} must have one of url, file and keys`);
  if (url !== undefined && !isSafeUrl(url))
    throw new TypeError(`${option}.url must be an https: URL without a password, or http: on this machine`);
  if (file !== undefined && typeof file !== "string") refuseOption(`${option}.file`, file, "a path");
  if (keys !== undefined && !Array.isArray(keys)) throw new TypeError(`${option}.keys must be an array of public keys`);
}
