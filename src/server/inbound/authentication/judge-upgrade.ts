import type { Duplex } from "node:stream";
import type { TokenVerifier } from "../../../authentication/token-verifier.ts";
import type { VerifiedToken } from "../../../core/caller.ts";
import { refuseUpgrade } from "../../connections/refusal.ts";
import type { ServerRequest } from "../../node-server.ts";
import { unauthenticated } from "./authentication.ts";
import { type Judgement, judgeTokens } from "./judge-tokens.ts";

/** A request for an upgrade that is judged. */
export interface JudgedUpgrade {
  readonly socket: Duplex;
  readonly providers: readonly TokenVerifier[];
  /** Keeps the verified tokens. */
  readonly accept: (tokens: readonly VerifiedToken[]) => void;
  /** Hands the request to its listeners. */
  readonly proceed: () => boolean;
}

/** Judges a request for an upgrade. Returns whether it has taken it: it has refused it, or calls `proceed` once the tokens are verified. */
export function judgeUpgrade(request: ServerRequest, { socket, providers, accept, proceed }: JudgedUpgrade): boolean {
  const isRefused = (judgement: Judgement): boolean => {
    if (typeof judgement === "string") refuseUpgrade(socket, unauthenticated(judgement));
    else accept(judgement);
    return typeof judgement === "string";
  };
  const judgement = judgeTokens({ rawHeaders: request.rawHeaders, target: request.url ?? "/" }, providers);
  if (!(judgement instanceof Promise)) return isRefused(judgement);
  // Node.js has taken its own listeners off: an error without one would end the process.
  const onError = (): void => {};
  socket.on("error", onError);
  void judgement.then((late) => {
    if (socket.destroyed || isRefused(late)) return;
    queueMicrotask(() => {
      socket.off("error", onError);
      if (!proceed()) socket.destroy();
    });
  });
  return true;
}
