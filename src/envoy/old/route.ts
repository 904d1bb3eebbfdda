import type { Part } from "../text/part.ts";

/** A pattern of RE2, as a message of its own. */
function patternOf(text: Part): Part {
  return text.anew(new Map([["regex", text]]));
}

const oldMatches: Readonly<Record<string, string>> = {
  exact_match: "exact",
  prefix_match: "prefix",
  suffix_match: "suffix",
  contains_match: "contains",
  regex_match: "safe_regex",
  safe_regex_match: "safe_regex",
};

/** `exact_match` and its like became kinds of `string_match`. */
export function renewHeaderMatcher(part: Part): void {
  for (const [old, current] of Object.entries(oldMatches)) {
    const value = part.take(old);
    if (value === undefined) continue;
    value.notice("v2", `HeaderMatcher.${old}`, `in v3 it is string_match: { ${current}: … }`);
    const isText = current === "safe_regex" && typeof value.value === "string";
    part.set("string_match", value.anew(new Map([[current, isText ? patternOf(value) : value]])));
  }
}

/** `regex` became `safe_regex`, `runtime` became `runtime_fraction`. */
export function renewRouteMatch(part: Part): void {
  const pattern = part.take("regex");
  if (pattern !== undefined) {
    pattern.notice("v2", "RouteMatch.regex", "in v3 it is safe_regex: { regex: … }");
    part.set("safe_regex", patternOf(pattern));
  }
  const runtime = part.take("runtime");
  if (runtime !== undefined) {
    runtime.notice("v2", "RouteMatch.runtime", "in v3 it is runtime_fraction: { default_value: { numerator, denominator } }");
    const numerator = runtime.at("default_value") ?? runtime.anew(0);
    part.set("runtime_fraction", runtime.anew(new Map([["default_value", runtime.anew(new Map([["numerator", numerator]]))]])));
  }
}

const renamedActions: Readonly<Record<string, string>> = {
  host_rewrite: "host_rewrite_literal",
  request_mirror_policy: "request_mirror_policies",
};

export function renewRouteAction(part: Part): void {
  for (const [old, current] of Object.entries(renamedActions)) {
    const value = part.take(old);
    if (value === undefined) continue;
    value.notice("v2", `RouteAction.${old}`, `in v3 it is ${current}`);
    part.set(current, current.endsWith("policies") ? value.anew([value]) : value);
  }
  const websocket = part.take("use_websocket");
  if (websocket === undefined) return;
  websocket.notice("v2", "RouteAction.use_websocket", "in v3 it is upgrade_configs: [{ upgrade_type: websocket }]");
  if (websocket.value === true) part.set("upgrade_configs", websocket.madeOf([{ upgrade_type: "websocket" }]));
}

/** Per filter settings lost their untyped form. */
export function renewVirtualHost(part: Part): void {
  const old = part.take("per_filter_config");
  if (old !== undefined) old.refuse("VirtualHost.per_filter_config is of the second API; write it as typed_per_filter_config, with types");
}
