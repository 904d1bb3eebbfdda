import type { TokenVerifier } from "../../../authentication/token-verifier.ts";
import type { Refusal } from "../../connections/refusal.ts";
import type { InboundPart, InboundRequest } from "../inbound-request.ts";
import { type Judgement, judgeTokens, type Unauthenticated } from "./judge-tokens.ts";

/** Refuses requests without the tokens that the options demand, and leaves the verified ones in the record. */
export class Authentication implements InboundPart {
  readonly name = "authentication";
  readonly #providers: readonly TokenVerifier[];

  constructor(providers: readonly TokenVerifier[]) {
    this.#providers = providers;
  }

  arrive(record: InboundRequest): boolean {
    const judgement = judgeTokens({ rawHeaders: record.request.rawHeaders, target: record.target }, this.#providers);
    if (!(judgement instanceof Promise)) return this.#end(record, judgement);
    record.keepContext();
    void judgement.then((late) => {
      if (!record.hasEnded && !this.#end(record, late)) record.resume();
    });
    return true;
  }

  #end(record: InboundRequest, judgement: Judgement): boolean {
    if (typeof judgement !== "string") {
      record.tokens = judgement;
      return false;
    }
    return record.refuse(this.name, unauthenticated(judgement));
  }
}

/** The answer to a request that is not authenticated (RFC 6750 §3): no more than that. */
export function unauthenticated(why: Unauthenticated): Omit<Refusal, "clock"> {
  // The caller's token may hold; another instance may have the keys.
  if (why === "unavailable") return { why: "tokens cannot be verified now" };
  const challenge = why === "missing" ? "Bearer" : 'Bearer error="invalid_token"';
  return {
    why: why === "missing" ? "a token is needed" : "the token is not valid",
    status: 401,
    headers: { "www-authenticate": challenge },
    isMarked: false,
  };
}
