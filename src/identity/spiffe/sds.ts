import { describeError } from "../../core/errors.ts";
import { refuseOption } from "../../core/settings/checks.ts";
import type { IdentityListener, IdentitySource } from "../identity-source.ts";
import { type AgentOptions, type AgentParts, type AgentSettings, checkName, settleAgent } from "./agent-options.ts";
import { watchAgent } from "./agent-watch.ts";
import { type Authorities, authoritiesOf, type Certificate, certificateOf, joined } from "./messages/secrets.ts";
import type { Packages } from "./packages.ts";
import type { StreamPlan } from "./streams/kept-stream.ts";
import { ToldIdentity } from "./told-identity.ts";

/** Options of {@link sds}. */
export interface SdsOptions extends AgentOptions {
  /**
   * The name of the secret with certificate and key.
   * @default "default"
   */
  readonly certificate?: string;
  /**
   * The names of the secrets with authorities: all of them are needed.
   * @default ["ROOTCA"]
   */
  readonly authorities?: readonly string[];
  /**
   * The id of this process, as the server of secrets knows it.
   * @default "inmesh"
   */
  readonly nodeId?: string;
}

interface Names {
  readonly certificate: string;
  readonly authorities: readonly string[];
  readonly nodeId: string;
}

/**
 * The identity of this process as a server of Envoy's secret discovery service gives it (API v3, state of the world): SPIRE's agent and those of other meshes.
 * The names of the secrets are SPIRE's by default. Needs the packages `@grpc/grpc-js` and `@bufbuild/protobuf`. A response that is wrong is answered as
 * refused and replaces nothing.
 * @throws TypeError or RangeError naming the option, for a wrong one, and where no socket is given.
 */
export function sds(options: SdsOptions = {}, parts: AgentParts = {}): IdentitySource {
  const settings = settleAgent("sds", options, ["certificate", "authorities", "nodeId"], parts);
  const { certificate = "default", authorities = ["ROOTCA"], nodeId = "inmesh" } = options;
  checkName("sds.certificate", certificate);
  checkName("sds.nodeId", nodeId);
  if (!Array.isArray(authorities) || authorities.length === 0) refuseOption("sds.authorities", authorities, "an array of names of secrets");
  for (const name of authorities) checkName("sds.authorities", name);
  const names = { certificate, authorities, nodeId };
  return {
    name: "sds",
    watch: (listener) =>
      watchAgent({ plan: (packages) => secretPlan(packages, settings, names, listener), failed: (error) => listener.fail(error) }),
  };
}

/** The secrets that have come, until all are there. */
interface Held {
  readonly certificate: Certificate | undefined;
  readonly authorities: ReadonlyMap<string, Authorities>;
}

const leastRenewalMs = 1_000;

function secretPlan({ protocol }: Packages, settings: AgentSettings, names: Names, listener: IdentityListener): StreamPlan {
  const peer = `the secret discovery service at ${settings.target}`;
  const wanted = { names: [names.certificate, ...names.authorities], nodeId: names.nodeId };
  let held: Held = { certificate: undefined, authorities: new Map() };
  let version = "";
  const told = new ToldIdentity(listener);
  let send: (bytes: Buffer) => void = () => {};
  return {
    ...settings,
    peer,
    open(client, { Metadata }) {
      const asItIs = (bytes: Buffer): Buffer => bytes;
      const call = client.makeBidiStreamRequest(protocol.paths.secrets, asItIs, asItIs, new Metadata());
      send = (bytes) => void call.write(bytes);
      // Without the version that is in use: a server that has nothing newer would not answer, and would seem dead.
      version = "";
      send(protocol.writeSecretRequest({ ...wanted, version, nonce: "", refusal: undefined }));
      return call;
    },
    receive(bytes) {
      const { nonce, versionInfo } = protocol.readDiscovery(bytes);
      try {
        held = heldWith(held, bytes, names, protocol);
        version = versionInfo;
      } catch (error) {
        send(protocol.writeSecretRequest({ ...wanted, version, nonce, refusal: describeError(error) }));
        throw error;
      }
      send(protocol.writeSecretRequest({ ...wanted, version, nonce, refusal: undefined }));
      const { certificate, authorities } = held;
      if (certificate === undefined || authorities.size < new Set(names.authorities).size) return settings.timeoutMs;
      told.update(joined(certificate, authorities));
      return Math.max(leastRenewalMs, 0.75 * (certificate.expiresAtMs - settings.clock.wallNow()));
    },
    failed: (error, code) => told.failed(error, code),
  };
}

/** @throws Error for a response with a resource that is wrong: then none of it is taken. */
function heldWith(held: Held, bytes: Uint8Array, names: Names, protocol: Packages["protocol"]): Held {
  let { certificate } = held;
  const authorities = new Map(held.authorities);
  for (const { typeUrl, value } of protocol.readDiscovery(bytes).resources) {
    if (typeUrl !== protocol.secretType) throw new Error("a resource is no secret");
    const secret = protocol.readSecret(value);
    if (secret.name === names.certificate) certificate = certificateOf(secret);
    else if (names.authorities.includes(secret.name))
      authorities.set(
        secret.name,
        authoritiesOf(secret, ({ customValidatorConfig: config }) =>
          config?.typedConfig?.typeUrl === protocol.validatorType ? protocol.readValidator(config.typedConfig.value) : undefined,
        ),
      );
  }
  return { certificate, authorities };
}
