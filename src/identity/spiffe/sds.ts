import { describeError } from "../../core/errors.ts";
import { refuseOption } from "../../core/settings/checks.ts";
import { quoted } from "../../core/text/clean-text.ts";
import type { IdentityListener, IdentitySource } from "../identity-source.ts";
import { type AgentOptions, type AgentParts, type AgentSettings, checkName, settleAgent } from "./agent-options.ts";
import { watchAgent } from "./agent-watch.ts";
import { type Authorities, authoritiesOf, type Certificate, certificateOf, joined } from "./messages/secrets.ts";
import type { Packages } from "./packages.ts";
import { changesOnly, type SecretResponse, stateOfTheWorld } from "./secret-dialects.ts";
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
 * The identity of this process as a server of Envoy's secret discovery service gives it (API v3): SPIRE's agent and those of other meshes. The stream of
 * states (StreamSecrets) is asked first, and that of changes (DeltaSecrets) where the server does not have it. The names of the secrets are SPIRE's by default. Needs the packages `@grpc/grpc-js` and `@bufbuild/protobuf`. A response that is wrong is answered as
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

function secretPlan(packages: Packages, settings: AgentSettings, names: Names, listener: IdentityListener): StreamPlan {
  const { protocol } = packages;
  const peer = `the secret discovery service at ${settings.target}`;
  const wanted = { names: [names.certificate, ...names.authorities], nodeId: names.nodeId };
  let [dialect, other] = [stateOfTheWorld(protocol), changesOnly(protocol)];
  /** Whether the other one has been tried since a response came. */
  let isOtherTried = false;
  let held: Held = { certificate: undefined, authorities: new Map() };
  let version = "";
  const told = new ToldIdentity(listener);
  let send: (bytes: Buffer) => void = () => {};
  return {
    ...settings,
    peer,
    open(client, { Metadata }) {
      const asItIs = (bytes: Buffer): Buffer => bytes;
      const call = client.makeBidiStreamRequest(dialect.path, asItIs, asItIs, new Metadata());
      send = (bytes) => void call.write(bytes);
      version = "";
      send(dialect.first(wanted));
      return call;
    },
    receive(bytes) {
      isOtherTried = false;
      const response = dialect.read(bytes);
      const { nonce } = response;
      try {
        held = heldWith(held, response, names, protocol);
        ({ version } = response);
      } catch (error) {
        send(dialect.answer(wanted, nonce, version, describeError(error)));
        throw error;
      }
      send(dialect.answer(wanted, nonce, version, undefined));
      // As Envoy has it, a secret is not taken back by its server: it is used until it ends.
      const gone = response.removed.filter((name) => wanted.names.includes(name));
      if (gone.length > 0) told.failed(new Error(`${peer} has no secret named ${gone.map(quoted).join(" or ")}`), undefined);
      const { certificate, authorities } = held;
      if (certificate === undefined || authorities.size < new Set(names.authorities).size) return settings.timeoutMs;
      if (response.packed.length > 0) told.update(joined(certificate, authorities));
      return Math.max(leastRenewalMs, 0.75 * (certificate.expiresAtMs - settings.clock.wallNow()));
    },
    hasOtherWay() {
      if (isOtherTried) return false;
      isOtherTried = true;
      [dialect, other] = [other, dialect];
      return true;
    },
    failed: (error, code) => told.failed(error, code),
  };
}

/** @throws Error for a response with a resource that is wrong: then none of it is taken. */
function heldWith(held: Held, { packed }: SecretResponse, names: Names, protocol: Packages["protocol"]): Held {
  let { certificate } = held;
  const authorities = new Map(held.authorities);
  for (const { name, typeUrl, value } of packed) {
    if (typeUrl !== protocol.secretType) throw new Error("a resource is no secret");
    const secret = protocol.readSecret(value);
    if (name !== undefined && name !== secret.name)
      throw new Error(`a resource named ${quoted(name)} has the secret ${quoted(secret.name)}`);
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
