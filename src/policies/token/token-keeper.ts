import type { Clock, Timer } from "../../core/clock.ts";
import type { IssuedToken, TokenProvider } from "./token-options.ts";

/** How the token of a service is got. */
export interface KeptTokenParts {
  readonly audience: string;
  readonly provider: TokenProvider;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** A token that is about to end is not sent: its way and the clock of the receiver take time. */
const marginMs = 1_000;
/** The part of its lifetime after which a token is renewed in the background. */
const renewAfter = 0.8;
/** The pause after a failed renewal while the last token holds. */
const pauseMs = 1_000;

const tokenForm = /^[A-Za-z0-9\-._~+/]+=*$/;
const maxLength = 16_384;

/** The token of one service: asked for once for all that wait, and renewed by use ahead of its end. It has no timer while nothing waits. */
export class TokenKeeper {
  readonly #parts: KeptTokenParts;
  #issued: IssuedToken | undefined = undefined;
  #renewAt = 0;
  #asking: Promise<string> | undefined = undefined;
  #abort: AbortController | undefined = undefined;

  constructor(parts: KeptTokenParts) {
    this.#parts = parts;
  }

  /** The token, at once where one holds. Rejects with an error that shows nothing of what the provider has said of it. */
  token(): string | Promise<string> {
    const now = this.#parts.clock.wallNow();
    if (this.#issued === undefined || now >= this.#issued.expiresAtMs - marginMs) return this.#ask();
    if (now >= this.#renewAt) {
      this.#renewAt = now + pauseMs;
      // The last token holds: a failure is met again by a later call.
      this.#ask().catch(() => {});
    }
    return this.#issued.token;
  }

  /** Gives up what it asks for. */
  close(): void {
    this.#abort?.abort();
  }

  #ask(): Promise<string> {
    this.#asking ??= this.#get().finally(() => {
      this.#asking = undefined;
      this.#abort = undefined;
    });
    return this.#asking;
  }

  async #get(): Promise<string> {
    const { audience, provider, timeoutMs, clock } = this.#parts;
    const abort = new AbortController();
    this.#abort = abort;
    let timer: Timer;
    const late = new Promise<never>((_, reject) => {
      abort.signal.addEventListener("abort", () => reject(abort.signal.reason), { once: true });
      timer = clock.setTimer(() => abort.abort(new Error(`there was none after ${timeoutMs} ms`)), timeoutMs, false);
    });
    try {
      // In a turn of its own: what it throws is met as what it rejects with.
      const asked = Promise.resolve().then(() => provider(audience, abort.signal));
      const issued = await Promise.race([asked, late]);
      return this.#accept(issued);
    } finally {
      clock.clearTimer(timer);
    }
  }

  #accept(issued: unknown): string {
    const { token, expiresAtMs } = (issued ?? {}) as Partial<Record<keyof IssuedToken, unknown>>;
    const now = this.#parts.clock.wallNow();
    if (typeof token !== "string" || token.length > maxLength || !tokenForm.test(token))
      throw new TypeError("the provider returned no token that a header can have");
    if (typeof expiresAtMs !== "number" || !(expiresAtMs > now + marginMs))
      throw new TypeError("the provider returned a token that has ended");
    this.#issued = { token, expiresAtMs };
    this.#renewAt = now + renewAfter * (expiresAtMs - now);
    return token;
  }
}
