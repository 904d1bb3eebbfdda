import { cleanText } from "../../core/text/clean-text.ts";
import type { IdentityListener, IdentitySource } from "../identity-source.ts";
import { type AgentOptions, type AgentParts, type AgentSettings, checkName, settleAgent } from "./agent-options.ts";
import { watchAgent } from "./agent-watch.ts";
import { credentialsOf } from "./messages/x509-svids.ts";
import type { Packages } from "./packages.ts";
import type { GrpcMetadata, GrpcPackage } from "./streams/grpc-package.ts";
import type { StreamCall, StreamPlan } from "./streams/kept-stream.ts";
import { ToldIdentity } from "./told-identity.ts";

/** Options of {@link workloadApi}. */
export interface WorkloadApiOptions extends AgentOptions {
  /**
   * Which SVID is used, where the agent gives several: the first with this hint.
   * @default the first SVID
   */
  readonly hint?: string;
}

/** Least time after which a stream without a renewal is opened again. */
const leastRenewalMs = 1_000;

/**
 * The identity of this process as the SPIFFE Workload API gives it: certificate, key, the bundles of its own and of federated trust domains, and lists
 * of revoked certificates, streamed by the agent of the machine. Needs the packages `@grpc/grpc-js` and `@bufbuild/protobuf`. Asks nothing before it
 * is watched. A message that is wrong is refused as a whole and replaces nothing.
 * @throws TypeError or RangeError naming the option, for a wrong one, and where no socket is given.
 */
export function workloadApi(options: WorkloadApiOptions = {}, parts: AgentParts = {}): IdentitySource {
  const settings = settleAgent("workloadApi", options, ["hint"], parts);
  const { hint } = options;
  checkName("workloadApi.hint", hint);
  return {
    name: "workload-api",
    watch: (listener) =>
      watchAgent({ plan: (packages) => x509Plan(packages, settings, hint, listener), failed: (error) => listener.fail(error) }),
  };
}

/** The name of an agent in messages. */
export function agentName({ target }: AgentSettings): string {
  return `the SPIFFE Workload API at ${target}`;
}

/** The header by which the standard tells a client that means to ask from a program that was made to. */
export function securityHeader({ Metadata }: GrpcPackage): GrpcMetadata {
  const metadata = new Metadata();
  metadata.set("workload.spiffe.io", "true");
  return metadata;
}

/** Opens a stream of answers to a request without a field. */
export function openStream(path: string, { protocol }: Packages): StreamPlan["open"] {
  const asItIs = (bytes: Buffer): Buffer => bytes;
  return (client, grpc): StreamCall => client.makeServerStreamRequest(path, asItIs, asItIs, protocol.emptyRequest, securityHeader(grpc));
}

function x509Plan(packages: Packages, settings: AgentSettings, hint: string | undefined, listener: IdentityListener): StreamPlan {
  const peer = agentName(settings);
  const { protocol } = packages;
  const told = new ToldIdentity(listener);
  return {
    ...settings,
    peer,
    open: openStream(protocol.paths.x509Svids, packages),
    receive(bytes) {
      const message = protocol.readX509Svids(bytes);
      const read = credentialsOf(message, hint);
      if (read === undefined) {
        const hints = message.svids.map((each) => `"${cleanText(each.hint)}"`).join(", ");
        told.withdraw(new Error(`${peer} gives no SVID with the hint "${hint}"; there are ${hints}`));
        return undefined;
      }
      told.update(read.credentials);
      // An agent renews at half of the lifetime. One that hangs keeps its connections open and says nothing.
      return Math.max(leastRenewalMs, 0.75 * (read.expiresAtMs - settings.clock.wallNow()));
    },
    failed: (error, code) => told.failed(error, code),
  };
}
