/**
 * `inmesh/spiffe`: the identity of this process from the SPIFFE Workload API, or from Envoy's secret discovery service.
 *
 * @packageDocumentation
 */
export type { Credentials, Trust } from "../credentials.ts";
export type { IdentityListener, IdentitySource, IdentityWatch } from "../identity-source.ts";
export type { AgentOptions, AgentParts } from "./agent-options.ts";
export { fetchJwtSvid, type JwtSvid, type JwtSvidOptions } from "./fetch-jwt-svid.ts";
export { type JwtBundleOptions, type JwtBundles, jwtBundles } from "./jwt-bundles.ts";
export type { JwtBundleKey } from "./messages/jwt-svids.ts";
export { type SdsOptions, sds } from "./sds.ts";
export { type WorkloadApiOptions, workloadApi } from "./workload-api.ts";
