import { type AgentOptions, type AgentParts, type AgentSettings, settleAgent } from "./agent-options.ts";
import { type AgentWatch, watchAgent } from "./agent-watch.ts";
import { type JsonWebKeySet, jwtBundlesOf } from "./messages/jwt-svids.ts";
import type { Packages } from "./packages.ts";
import { grpcCodes } from "./streams/channel.ts";
import type { StreamPlan } from "./streams/kept-stream.ts";
import { agentName, openStream } from "./workload-api.ts";

/** Hears of the keys by which JWT-SVIDs are verified. */
export interface JwtBundleListener {
  /** All bundles, by the name of their trust domain: what is absent is withdrawn. */
  update(bundles: ReadonlyMap<string, JsonWebKeySet>): void;
  /** The agent could not be asked, or a message was refused. The last bundles stay. */
  fail(error: Error): void;
}

/** The keys by which JWT-SVIDs are verified, as they change. */
export interface JwtBundles {
  /** Names the source in messages. */
  readonly name: string;
  /** Begins to watch, until the watch is closed; tells nothing before it returns. */
  watch(listener: JwtBundleListener): AgentWatch;
}

/**
 * The JWT bundles of the agent of the machine, streamed: the keys of its own and of federated trust domains.
 * @throws TypeError or RangeError naming the option, for a wrong one, and where no socket is given.
 */
export function jwtBundles(options: AgentOptions = {}, parts: AgentParts = {}): JwtBundles {
  const settings = settleAgent("jwtBundles", options, [], parts);
  return {
    name: "workload-api",
    watch: (listener) =>
      watchAgent({ plan: (packages) => bundlePlan(packages, settings, listener), failed: (error) => listener.fail(error) }),
  };
}

function bundlePlan(packages: Packages, settings: AgentSettings, listener: JwtBundleListener): StreamPlan {
  const { protocol } = packages;
  let hasBundles = false;
  return {
    ...settings,
    peer: agentName(settings),
    open: openStream(protocol.paths.jwtBundles, packages),
    receive(bytes) {
      listener.update(jwtBundlesOf(protocol.readJwtBundles(bytes)));
      hasBundles = true;
      return undefined;
    },
    failed(error, code) {
      // An agent that no longer knows this process gives it no keys either.
      if (code === grpcCodes.permissionDenied && hasBundles) listener.update(new Map());
      hasBundles &&= code !== grpcCodes.permissionDenied;
      listener.fail(error);
    },
  };
}
