import { Agent as HttpAgent, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { Clock, Timer } from "../../../core/clock.ts";
import { inTurns } from "../../../core/json/in-turns.ts";
import { NotJsonError, readJson } from "../../../core/json/json-scanner.ts";
import { untraced } from "../../../core/observing/untraced.ts";
import { nodeTls } from "../../../core/settings/client-tls.ts";
import { ConsulError, consulErrorOf } from "./consul-error.ts";
import type { ConsulTls } from "./consul-tls.ts";
import { JsonText, type NpmCallOptions, type NpmConsul, npmConsul } from "./npm-client.ts";
import { RequestContext } from "./request-context.ts";
import { type ConsulToken, tokenSource } from "./token.ts";

/** An answer of an agent with a status of 200 to 299. */
export interface ConsulAnswer {
  readonly headers: IncomingHttpHeaders;
  /** Parsed JSON. */
  readonly body: unknown;
}

/** One request to an agent. */
export interface ConsulRequest {
  /** Calls the method of the npm client. */
  readonly call: (npm: NpmConsul, options: NpmCallOptions) => Promise<unknown>;
  /** The options of that method. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Query parameters and fields of the body that the npm client does not know. */
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Readonly<Record<string, unknown>>;
  /** Time until the last byte of the answer, in milliseconds. */
  readonly timeoutMs: number;
  /** Time from the head of the answer to its last byte, in milliseconds, where the head may have been waited for much longer. */
  readonly bodyTimeoutMs?: number | undefined;
  /** The most bytes of the answer, where it is less than the limit of the client. */
  readonly maxBodyBytes?: number;
  /** `false` when the request alone must not keep the process alive. Default `true`. */
  readonly keepsProcess?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Options of a {@link ConsulClient}. */
export interface ConsulClientOptions {
  readonly url: string;
  readonly token: ConsulToken | undefined;
  readonly tls: ConsulTls | undefined;
  readonly maxBodyBytes: number;
  readonly clock: Clock;
}

/**
 * The npm client inside a fence: every request ends with its timeout or its signal, a truncated or oversized answer is an error, and no
 * error shows the token.
 */
export class ConsulClient {
  readonly #options: ConsulClientOptions;
  readonly #token: () => Promise<string | undefined>;
  readonly #agent: HttpAgent;
  readonly #npm: NpmConsul;

  constructor(options: ConsulClientOptions) {
    const { url, token, tls } = options;
    this.#options = options;
    this.#token = tokenSource(token);
    // No session is resumed: each connection verifies the certificate in full.
    const secured = { ...nodeTls(tls), maxCachedSessions: 0, keepAlive: true };
    this.#agent = url.startsWith("https:") ? new HttpsAgent(secured) : new HttpAgent({ keepAlive: true });
    this.#npm = npmConsul(url, this.#agent);
  }

  /** Rejects with a {@link ConsulError}, or with the signal's reason. */
  async ask(request: ConsulRequest): Promise<ConsulAnswer> {
    const { call, options = {}, query = {}, body = {}, timeoutMs, bodyTimeoutMs, keepsProcess = true, signal } = request;
    const { clock } = this.#options;
    const maxBodyBytes = Math.min(this.#options.maxBodyBytes, request.maxBodyBytes ?? this.#options.maxBodyBytes);
    signal?.throwIfAborted();
    const stopped = Promise.withResolvers<never>();
    const stopping = new AbortController();
    let timer: Timer;
    const stop = (reason: unknown): void => {
      stopping.abort(reason);
      stopped.reject(reason);
      context.cancel();
    };
    const limit = (ms: number, what: string): void => {
      clock.clearTimer(timer);
      timer = clock.setTimer(() => stop(new ConsulError(`${what} within ${Math.round(ms)} ms`, { code: "ETIMEDOUT" })), ms, false);
    };
    const onHead = (): void => {
      if (bodyTimeoutMs !== undefined && !stopping.signal.aborted) limit(bodyTimeoutMs, "an answer whose head has come, and not its rest");
    };
    const context = new RequestContext({ query, body, maxBodyBytes, keepsProcess, onHead, onFault: stop });
    const onAbort = (): void => stop(signal?.reason);
    const run = async (): Promise<ConsulAnswer> => {
      const token = await this.#readToken();
      // The caller has gone: no request starts.
      if (stopping.signal.aborted) return stopped.promise;
      try {
        const given = { ...options, ctx: context, ...(token === undefined ? {} : { token }) };
        return await answerOf(await untraced(() => call(this.#npm, given)), stopping.signal);
      } catch (error) {
        throw consulErrorOf(error, token);
      }
    };
    limit(timeoutMs, "no answer");
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      return await Promise.race([stopped.promise, run()]);
    } finally {
      clock.clearTimer(timer);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** Closes idle connections; running requests continue. */
  closeIdle(): void {
    for (const sockets of Object.values(this.#agent.freeSockets)) {
      for (const socket of sockets ?? []) socket.destroy();
    }
  }

  async #readToken(): Promise<string | undefined> {
    try {
      return await this.#token();
    } catch (error) {
      throw consulErrorOf(error, undefined);
    }
  }
}

async function answerOf(result: unknown, signal: AbortSignal): Promise<ConsulAnswer> {
  const [{ headers, statusCode: status }, body] = result as [Pick<IncomingMessage, "headers" | "statusCode">, unknown];
  if (!(body instanceof JsonText)) return { headers, body };
  try {
    return { headers, body: await inTurns(readJson(body.bytes), signal) };
  } catch (error) {
    if (!(error instanceof NotJsonError)) throw error;
    throw new ConsulError(`HTTP ${status} with a body that is not JSON`, status === undefined ? {} : { status });
  }
}
