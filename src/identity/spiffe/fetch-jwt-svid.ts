import { parseSpiffeId } from "../../core/peers/spiffe-id.ts";
import { refuseOption } from "../../core/settings/checks.ts";
import { cleanText } from "../../core/text/clean-text.ts";
import { type AgentOptions, type AgentParts, type AgentSettings, checkName, settleAgent } from "./agent-options.ts";
import { tokenOf } from "./messages/jwt-svids.ts";
import { loadPackages } from "./packages.ts";
import { endError, openChannel } from "./streams/channel.ts";
import { agentName, securityHeader } from "./workload-api.ts";

/** Options of {@link fetchJwtSvid}. */
export interface JwtSvidOptions extends AgentOptions {
  /** The audience of the token: the SPIFFE id of the service that it is for. One, since every audience of a token can use it at the others. */
  readonly audience: string;
  /**
   * The SPIFFE id that the token is to be of, where this process has several.
   * @default the first of the agent
   */
  readonly id?: string;
}

/** A JWT-SVID. */
export interface JwtSvid {
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

/**
 * Makes a provider of tokens: each call fetches a JWT-SVID for one audience from the agent of the machine, which keeps and renews it. Its promise
 * rejects, within `timeoutMs`, where the agent gives none, or one that is not of the id and the audience. The signature is for the service to verify.
 * @throws TypeError or RangeError naming the option, for a wrong one, and where no socket is given.
 */
export function fetchJwtSvid(options: JwtSvidOptions, parts: AgentParts = {}): () => Promise<JwtSvid> {
  const settings = settleAgent("fetchJwtSvid", options, ["audience", "id"], parts);
  const { audience, id } = options;
  if (typeof audience !== "string") refuseOption("fetchJwtSvid.audience", audience, "a string that is not empty");
  checkName("fetchJwtSvid.audience", audience);
  if (id !== undefined && (typeof id !== "string" || parseSpiffeId(id) === undefined)) refuseOption("fetchJwtSvid.id", id, "a SPIFFE id");
  return () => fetchOne(settings, audience, id);
}

async function fetchOne(settings: AgentSettings, audience: string, id: string | undefined): Promise<JwtSvid> {
  const { grpc, protocol } = await loadPackages();
  const peer = agentName(settings);
  const client = openChannel(grpc, settings.target, settings.maxMessageBytes);
  const asItIs = (bytes: Buffer): Buffer => bytes;
  const request = protocol.writeJwtSvidRequest(audience, id ?? "");
  const deadline = Date.now() + settings.timeoutMs;
  try {
    const bytes = await new Promise<Buffer>((resolve, reject) => {
      client.makeUnaryRequest(protocol.paths.jwtSvids, asItIs, asItIs, request, securityHeader(grpc), { deadline }, (error, answer) => {
        if (error !== null) reject(endError(peer, error));
        else resolve(answer ?? Buffer.alloc(0));
      });
    });
    return tokenOf(protocol.readJwtSvids(bytes), { audience, id, nowMs: settings.clock.wallNow() });
  } catch (error) {
    if (error instanceof Error && error.message.startsWith(peer)) throw error;
    throw new Error(`${peer}: the JWT-SVID for "${cleanText(audience)}" is refused: ${(error as Error).message}`);
  } finally {
    client.close();
  }
}
