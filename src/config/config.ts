/**
 * inmesh/config: the options of a mesh as data, in YAML or JSON.
 *
 * @packageDocumentation
 */

export { DocumentError, type Place } from "../documents/document-error.ts";
export { type ConfigDifference, compareConfigs } from "./compare-config.ts";
export { ConfigError } from "./config-error.ts";
export type { ConfigNames, Make } from "./config-names.ts";
export { effectiveConfig } from "./effective-config.ts";
export { type FileFollower, type FollowFileOptions, followFile } from "./follow/follow-file.ts";
export { type ConfigData, fromData, fromFile, fromText } from "./read-config.ts";
