import { checkFunction } from "../../core/settings/checks.ts";
import { type AgentOptions, type AgentParts, type AgentSettings, settleAgent } from "./agent-options.ts";
import { watchAgent } from "./agent-watch.ts";
import { type JwtBundleKey, jwtBundlesOf } from "./messages/jwt-svids.ts";
import type { Packages } from "./packages.ts";
import { grpcCodes } from "./streams/channel.ts";
import type { StreamPlan } from "./streams/kept-stream.ts";
import { agentName, openStream } from "./workload-api.ts";

/** Options of {@link jwtBundles}. */
export interface JwtBundleOptions extends AgentOptions {
  /** Is told that the agent could not be asked, or that a message was refused: the last keys stay. What it throws is dropped. */
  readonly onFailure?: (error: Error) => void;
}

/** The keys by which JWT-SVIDs are verified, as the agent has them now. */
export interface JwtBundles {
  /** Names the source in messages. */
  readonly name: string;
  /**
   * The keys of a trust domain (`example.org`) for JWT-SVIDs; `undefined` for a domain that is not trusted, and before the agent has answered. The same array
   * as long as the agent has sent no others.
   */
  keysOf(trustDomain: string): readonly JwtBundleKey[] | undefined;
  /** Ends the stream; there are no keys afterwards. */
  close(): void;
}

/**
 * The JWT bundles of the agent of the machine, streamed from now on: the keys of its own and of federated trust domains.
 * @throws TypeError or RangeError naming the option, for a wrong one, and where no socket is given.
 */
export function jwtBundles(options: JwtBundleOptions = {}, parts: AgentParts = {}): JwtBundles {
  const settings = settleAgent("jwtBundles", options, ["onFailure"], parts);
  const { onFailure } = options;
  checkFunction("jwtBundles.onFailure", onFailure);
  let bundles: ReadonlyMap<string, readonly JwtBundleKey[]> = new Map();
  const failed = (error: Error): void => {
    try {
      onFailure?.(error);
    } catch {
      // A mistake of the listener must not end the stream.
    }
  };
  const update = (next: typeof bundles): void => {
    bundles = next;
  };
  const watch = watchAgent({ plan: (packages) => bundlePlan(packages, settings, update, failed), failed });
  return {
    name: "workload-api",
    keysOf: (trustDomain) => bundles.get(trustDomain),
    close() {
      watch.close();
      bundles = new Map();
    },
  };
}

function bundlePlan(
  packages: Packages,
  settings: AgentSettings,
  update: (bundles: ReadonlyMap<string, readonly JwtBundleKey[]>) => void,
  failed: (error: Error) => void,
): StreamPlan {
  const { protocol } = packages;
  return {
    ...settings,
    peer: agentName(settings),
    open: openStream(protocol.paths.jwtBundles, packages),
    receive(bytes) {
      update(jwtBundlesOf(protocol.readJwtBundles(bytes)));
      return undefined;
    },
    failed(error, code) {
      // An agent that does not know this process any more gives it no keys either.
      if (code === grpcCodes.permissionDenied) update(new Map());
      failed(error);
    },
  };
}
