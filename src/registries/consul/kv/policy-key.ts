import type { PolicySource } from "../../../authorization/sources/policy-source.ts";
import type { ConsulSettings } from "../options.ts";
import { checkKey, KeyWatch } from "./key-watch.ts";

/**
 * A policy as the value of a key in Consul's store, kept up to date by a blocking query. A key that is not there, or is there no more, is a failure of the
 * source, by which the policy in force stays.
 * @throws TypeError for a text that is no key of a value: none, one with an empty or a dot segment, one of a folder.
 */
export function policyKey(settings: ConsulSettings, key: string): PolicySource {
  checkKey("policy", key);
  return { name: `the key ${key} of ${settings.name}`, watch: (listener) => new KeyWatch(settings, key, listener) };
}
