/**
 * `inmesh/spiffe`: the identity of this process from the SPIFFE Workload API.
 *
 * @packageDocumentation
 */
export type { Credentials, Trust } from "../credentials.ts";
export type { IdentityListener, IdentitySource, IdentityWatch } from "../identity-source.ts";
export type { AgentOptions, AgentParts } from "./agent-options.ts";
export { type WorkloadApiOptions, workloadApi } from "./workload-api.ts";
