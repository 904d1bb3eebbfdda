import { checkChoice, checkFunction, checkKeys, checkObject, checkText } from "../../../../core/settings/checks.ts";
import type { IntentionOptions } from "./watched-intentions.ts";

/** Checks the options of `consul().intentions()`. Throws a `TypeError` that names option and value. */
export function checkedIntentionOptions(service: string, options: IntentionOptions): IntentionOptions {
  checkText("consul: intentions", service);
  checkObject("consul: intentions: options", options);
  checkKeys("consul: intentions", options, ["pathPolicy", "onError"]);
  if (options.pathPolicy !== undefined) checkChoice("consul: intentions: pathPolicy", options.pathPolicy, ["strict", "as-envoy"]);
  checkFunction("consul: intentions: onError", options.onError);
  return options;
}
