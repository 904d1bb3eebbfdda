import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  DeltaDiscoveryRequestSchema,
  type DeltaDiscoveryResponse,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
  DiscoveryResponseSchema,
} from "../protos/envoy-discovery_pb.ts";
import { SecretDiscoveryService } from "../protos/envoy-sds_pb.ts";
import { type Secret, SecretSchema, type SPIFFECertValidatorConfig, SPIFFECertValidatorConfigSchema } from "../protos/envoy-secret_pb.ts";
import {
  type JWTBundlesResponse,
  JWTBundlesResponseSchema,
  JWTSVIDRequestSchema,
  type JWTSVIDResponse,
  JWTSVIDResponseSchema,
  SpiffeWorkloadAPI,
  type X509SVIDResponse,
  X509SVIDResponseSchema,
} from "../protos/workload_pb.ts";

/** The service in the paths of gRPC: the standard's has no package. */
const service = `/${SpiffeWorkloadAPI.typeName}`;

/** The paths of the calls. */
export const paths = {
  x509Svids: `${service}/${SpiffeWorkloadAPI.method.fetchX509SVID.name}`,
  jwtSvids: `${service}/${SpiffeWorkloadAPI.method.fetchJWTSVID.name}`,
  jwtBundles: `${service}/${SpiffeWorkloadAPI.method.fetchJWTBundles.name}`,
  secrets: `/${SecretDiscoveryService.typeName}/${SecretDiscoveryService.method.streamSecrets.name}`,
  secretChanges: `/${SecretDiscoveryService.typeName}/${SecretDiscoveryService.method.deltaSecrets.name}`,
} as const;

/** A request without a field. */
export const emptyRequest: Buffer = Buffer.alloc(0);

/** Reads an answer of the stream of X.509-SVIDs; throws for bytes that are none. */
export function readX509Svids(bytes: Uint8Array): X509SVIDResponse {
  return fromBinary(X509SVIDResponseSchema, bytes);
}

/** Writes a request for JWT-SVIDs. */
export function writeJwtSvidRequest(audience: string, id: string): Buffer {
  return Buffer.from(toBinary(JWTSVIDRequestSchema, create(JWTSVIDRequestSchema, { audience: [audience], spiffeId: id })));
}

/** Reads JWT-SVIDs; throws for bytes that are none. */
export function readJwtSvids(bytes: Uint8Array): JWTSVIDResponse {
  return fromBinary(JWTSVIDResponseSchema, bytes);
}

/** Reads an answer of the stream of JWT bundles; throws for bytes that are none. */
export function readJwtBundles(bytes: Uint8Array): JWTBundlesResponse {
  return fromBinary(JWTBundlesResponseSchema, bytes);
}

/** The type of a secret, as discovery names it. */
export const secretType: string = `type.googleapis.com/${SecretSchema.typeName}`;
/** The type of the authorities by trust domain inside of a secret. */
export const validatorType: string = `type.googleapis.com/${SPIFFECertValidatorConfigSchema.typeName}`;

/** A request for secrets: the first, and the answer to each response. */
export interface SecretRequest {
  readonly names: readonly string[];
  readonly nodeId: string;
  /** The version that is in use. */
  readonly version: string;
  readonly nonce: string;
  /** Why the response with that nonce is refused; `undefined` where it is taken. */
  readonly refusal: string | undefined;
}

/** Writes a request for secrets. */
export function writeSecretRequest({ names, nodeId, version, nonce, refusal }: SecretRequest): Buffer {
  const message = create(DiscoveryRequestSchema, {
    versionInfo: version,
    node: { id: nodeId },
    resourceNames: [...names],
    typeUrl: secretType,
    responseNonce: nonce,
    ...errorDetail(refusal),
  });
  return Buffer.from(toBinary(DiscoveryRequestSchema, message));
}

/** Writes a request for changes of secrets: the first, without a nonce, subscribes to them, and the others answer a response. */
export function writeSecretChangesRequest({ names, nodeId, nonce, refusal }: Omit<SecretRequest, "version">): Buffer {
  const message = create(DeltaDiscoveryRequestSchema, {
    typeUrl: secretType,
    responseNonce: nonce,
    ...(nonce === "" ? { node: { id: nodeId }, resourceNamesSubscribe: [...names] } : {}),
    ...errorDetail(refusal),
  });
  return Buffer.from(toBinary(DeltaDiscoveryRequestSchema, message));
}

function errorDetail(refusal: string | undefined) {
  // INVALID_ARGUMENT.
  return refusal === undefined ? {} : { errorDetail: { code: 3, message: refusal } };
}

/** Reads a response of discovery; throws for bytes that are none. */
export function readDiscovery(bytes: Uint8Array): DiscoveryResponse {
  return fromBinary(DiscoveryResponseSchema, bytes);
}

/** Reads a response of discovery with changes; throws for bytes that are none. */
export function readChanges(bytes: Uint8Array): DeltaDiscoveryResponse {
  return fromBinary(DeltaDiscoveryResponseSchema, bytes);
}

/** Reads a secret; throws for bytes that are none. */
export function readSecret(bytes: Uint8Array): Secret {
  return fromBinary(SecretSchema, bytes);
}

/** Reads authorities by trust domain; throws for bytes that are none. */
export function readValidator(bytes: Uint8Array): SPIFFECertValidatorConfig {
  return fromBinary(SPIFFECertValidatorConfigSchema, bytes);
}
