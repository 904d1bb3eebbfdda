/**
 * inmesh/config: the options of a mesh as data, in YAML or JSON.
 *
 * @packageDocumentation
 */

export { DocumentError, type Place } from "../documents/document-error.ts";
/** Whether a mesh that runs takes another value of an option, by its name with the groups that it is in: `retry.maxAttempts`, `services.orders.picker`. */
export { isAtOnce } from "../mesh/live/changes.ts";
export { type ConfigDifference, compareConfigs } from "./compare-config.ts";
export { ConfigError } from "./config-error.ts";
export type { ConfigNames, Make } from "./config-names.ts";
export { effectiveConfig } from "./effective-config.ts";
export { type FileFollower, type FollowFileOptions, followFile } from "./follow/follow-file.ts";
export { type ConfigData, type ConfigPart, fromData, fromFile, fromText, fromTextWith } from "./read-config.ts";
