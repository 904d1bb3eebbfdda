import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
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
