/**
 * inmesh/envoy: a file of Envoy as the configuration of a mesh.
 *
 * @packageDocumentation
 */

export type { ConfigNames, Make } from "../config/config-names.ts";
export { DocumentError, type Place } from "../documents/document-error.ts";
export { type FromEnvoyOptions, fromEnvoy, fromEnvoyText } from "./from-envoy.ts";
export { type EnvoyImport, type ImportOptions, importEnvoy, importEnvoyText } from "./import-envoy.ts";
export type { EnvoyAddress } from "./listeners.ts";
export { EnvoyError } from "./text/envoy-error.ts";
export { type EnvoyNotice, noticeText } from "./text/notice.ts";
