import type { TokenVerifier } from "../../authentication/token-verifier.ts";
import type { Clock } from "../../core/clock.ts";
import { type Judgement, judgeTokens } from "../../server/inbound/authentication/judge-tokens.ts";
import { CellRate } from "../../server/inbound/limits/cell-rate.ts";
import { networkOf } from "../../server/inbound/networks.ts";
import type { Peer } from "../../server/inbound/peer.ts";
import type { ServerRequest } from "../../server/node-server.ts";
import type { Problem } from "../problem.ts";
import { Cors } from "./cors.ts";
import { type GatewayRule, gatewayRateLimit } from "./rule-options.ts";

/** The demands on the requests of one route, in force. */
export class Guard {
  readonly cors: Cors | undefined;
  readonly maxBodyBytes: number | false | undefined;
  readonly #rate: CellRate | undefined;
  readonly #tokens: readonly TokenVerifier[];
  readonly #clock: Clock;

  /** @param every the demands on all requests: what the rule does not say is theirs, and a client has one rate for all that share it */
  constructor({ cors, rateLimit, tokens, maxBodyBytes }: GatewayRule, clock: Clock, every?: Guard) {
    this.cors = cors === undefined ? every?.cors : cors === false ? undefined : new Cors(cors);
    this.maxBodyBytes = maxBodyBytes ?? every?.maxBodyBytes;
    this.#tokens = tokens ?? (every === undefined ? [] : every.#tokens);
    if (rateLimit === undefined) this.#rate = every === undefined ? undefined : every.#rate;
    else this.#rate = rateLimit === false ? undefined : new CellRate(gatewayRateLimit.settle(rateLimit));
    this.#clock = clock;
  }

  /** The answer to a request that demands are not met by; `undefined` where they are. A promise only where a token is not remembered. */
  judge(request: ServerRequest, path: string, peer: Peer): Problem | undefined | Promise<Problem | undefined> {
    const client = peer.identity ?? networkOf(peer.address);
    if (this.#rate !== undefined && client !== undefined) {
      const waitMs = this.#rate.take(client, this.#clock.now());
      if (waitMs > 0) return { status: 429, headers: { "retry-after": String(Math.max(1, Math.ceil(waitMs / 1_000))) } };
    }
    if (this.#tokens.length === 0) return undefined;
    const judgement = judgeTokens({ rawHeaders: request.rawHeaders, target: path }, this.#tokens);
    return judgement instanceof Promise ? judgement.then(problemOfTokens) : problemOfTokens(judgement);
  }
}

function problemOfTokens(judgement: Judgement): Problem | undefined {
  if (typeof judgement !== "string") return undefined;
  if (judgement === "unavailable") return { status: 503, headers: { "retry-after": "1" } };
  const challenge = judgement === "missing" ? "Bearer" : 'Bearer error="invalid_token"';
  return { status: 401, headers: { "www-authenticate": challenge } };
}
