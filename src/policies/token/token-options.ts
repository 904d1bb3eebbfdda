import { checkFunction, checkText } from "../../core/settings/checks.ts";
import { optionTable, type Settled } from "../../core/settings/option-table.ts";
import { custom, flag, timerMs } from "../../core/settings/rules.ts";

/** A token that a provider has got, and its end. */
export interface IssuedToken {
  readonly token: string;
  /** In milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

/** Gets a token for an audience, as from a file or an authority. `signal` aborts when nothing waits for it any more. */
export type TokenProvider = (audience: string, signal: AbortSignal) => IssuedToken | Promise<IssuedToken>;

/** The token that calls to a service carry; `token` in the options of a service. */
export interface ServiceTokenOptions {
  /** The service as the receiver of the token, which the claim `aud` has. @default the name of the service */
  readonly audience?: string;
  /** Gets the token. It is asked once for all calls that wait, and again in the background ahead of the token's end. */
  readonly provider?: TokenProvider;
  /** Sends the token without TLS too, where everything on the way may read it. @default false */
  readonly allowPlain?: boolean;
  /** How long a call waits for the provider, in milliseconds. @default 5000 */
  readonly timeoutMs?: number;
}

/** The rules of {@link ServiceTokenOptions}. */
export const serviceTokenOptions = optionTable<ServiceTokenOptions>()({
  audience: custom<string | undefined>({ type: "string", default: undefined, defaultText: "the name of the service", check: checkText }),
  provider: custom<TokenProvider | undefined>({
    type: "(audience, signal) => Promise<IssuedToken>",
    default: undefined,
    check: checkFunction,
  }),
  allowPlain: flag(false),
  timeoutMs: timerMs({ default: 5_000, min: 1 }),
});

/** {@link ServiceTokenOptions} with the defaults filled in. */
export type ServiceTokenSettings = Settled<typeof serviceTokenOptions.rules>;
