import type { Duplex } from "node:stream";
import type { TokenVerifier } from "../../authentication/token-verifier.ts";
import type { Caller, VerifiedToken } from "../../core/peers/caller.ts";
import { refuseUpgrade } from "../connections/refusal.ts";
import type { ServerRequest } from "../node-server.ts";
import { unauthenticated } from "./authentication/authentication.ts";
import { type Judgement, judgeTokens } from "./authentication/judge-tokens.ts";
import type { AuthorizationPart } from "./authorization/authorization-part.ts";
import { type Peer, peerOf } from "./peer.ts";
import type { ForwardedIdentity } from "./proxies/forwarded-identity.ts";
import type { StripHeaders } from "./strip-headers.ts";

/** The parts that a request for an upgrade meets too. */
export interface UpgradeJudgeParts {
  readonly strip: StripHeaders | undefined;
  readonly forwarded: ForwardedIdentity | undefined;
  readonly providers: readonly TokenVerifier[];
  readonly authorization: AuthorizationPart | undefined;
}

/** Where a request for an upgrade goes on. */
export interface JudgedUpgrade {
  /** Keeps the verified caller. */
  readonly accept: (caller: Caller) => void;
  /** Hands the request to its listeners; `false` where there are none. */
  readonly proceed: () => boolean;
}

interface Arrived extends Pick<JudgedUpgrade, "accept"> {
  readonly request: ServerRequest;
  readonly socket: Duplex;
  readonly peer: Peer;
}

/**
 * Judges requests for an upgrade in the order in which others meet the same parts: headers that their sender had no right to, the caller behind a proxy,
 * tokens, authorization.
 */
export class UpgradeJudge {
  readonly #parts: UpgradeJudgeParts;

  constructor(parts: UpgradeJudgeParts) {
    this.#parts = parts;
  }

  /** Whether it can refuse a request. */
  get isJudging(): boolean {
    return this.#parts.providers.length > 0 || this.#parts.authorization !== undefined;
  }

  /** Returns whether it has taken the request: it has refused it, or calls `proceed` once its tokens are verified. */
  judge(request: ServerRequest, socket: Duplex, { accept, proceed }: JudgedUpgrade): boolean {
    const peer = peerOf(request);
    this.#parts.strip?.arrive({ request, peer });
    const judgement = judgeTokens({ rawHeaders: request.rawHeaders, target: request.url ?? "/" }, this.#parts.providers);
    if (!(judgement instanceof Promise)) return this.#isRefused({ request, socket, peer, accept }, judgement);
    // Node.js has taken its own listeners off: an error without one would end the process.
    const onError = (): void => {};
    socket.on("error", onError);
    void judgement.then((late) => {
      if (socket.destroyed || this.#isRefused({ request, socket, peer, accept }, late)) return;
      queueMicrotask(() => {
        socket.off("error", onError);
        if (!proceed()) socket.destroy();
      });
    });
    return true;
  }

  #isRefused({ request, socket, peer, accept }: Arrived, judgement: Judgement): boolean {
    if (typeof judgement === "string") {
      refuseUpgrade(socket, unauthenticated(judgement));
      return true;
    }
    const { method = "GET", url: target = "/", rawHeaders } = request;
    const { authorization } = this.#parts;
    const caller = this.#callerOf(request, peer, judgement);
    const denial = authorization?.judge({ method, target, rawHeaders }, caller).denial;
    if (denial === undefined) accept(caller);
    else refuseUpgrade(socket, denial);
    return denial !== undefined;
  }

  #callerOf(request: ServerRequest, peer: Peer, tokens: readonly VerifiedToken[]): Caller {
    const { forwarded } = this.#parts;
    return { identity: forwarded === undefined ? peer.identity : forwarded.identityOf({ peer, request }), address: peer.address, tokens };
  }
}
