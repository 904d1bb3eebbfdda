import type * as Yaml from "yaml";

/** Loads the npm package `yaml`. */
export declare function loadYaml(): typeof Yaml;
