import type { Duplex } from "node:stream";
import type { TokenVerifier } from "../../../authentication/token-verifier.ts";
import { refuseUpgrade } from "../../connections/refusal.ts";
import type { ServerRequest } from "../../node-server.ts";
import { unauthenticated } from "./authentication.ts";
import { type Judgement, judgeTokens } from "./judge-tokens.ts";

/** Judges a request for an upgrade. Returns whether it has taken it: it has refused it, or calls `proceed` once the tokens are verified. */
export function judgeUpgrade(
  request: ServerRequest,
  {
    socket,
    proceed,
    providers,
  }: { readonly socket: Duplex; readonly proceed: () => unknown; readonly providers: readonly TokenVerifier[] },
): boolean {
  const judgement = judgeTokens({ rawHeaders: request.rawHeaders, target: request.url ?? "/" }, providers);
  if (!(judgement instanceof Promise)) return isRefused(socket, judgement);
  // Node.js has taken its own listeners off: an error without one would end the process.
  const onError = (): void => {};
  socket.on("error", onError);
  void judgement.then((late) => {
    if (socket.destroyed || isRefused(socket, late)) return;
    queueMicrotask(() => {
      socket.off("error", onError);
      if (proceed() === false) socket.destroy();
    });
  });
  return true;
}

function isRefused(socket: Duplex, judgement: Judgement): boolean {
  if (typeof judgement !== "string") return false;
  refuseUpgrade(socket, unauthenticated(judgement));
  return true;
}
