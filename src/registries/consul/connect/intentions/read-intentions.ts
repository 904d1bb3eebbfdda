import { field } from "../../entries/json.ts";
import { ConsulError } from "../../http/consul-error.ts";
import type { Intention, IntentionAction, IntentionHeader, IntentionPermission, TokenRequirement } from "./intention.ts";

/** Intentions about the callers of one service. */
const maxIntentions = 10_000;

/**
 * The intentions of an answer of `/v1/connect/intentions/match`, in their order of precedence; of several with one source the first. Throws a
 * {@link ConsulError} on anything that it does not understand: what is left out could be a denial.
 */
export function intentionsOf(body: unknown, service: string): readonly Intention[] {
  const list = field(body, service);
  if (body === null || list === null) return [];
  if (!Array.isArray(list)) throw new ConsulError(`the answer has no list of intentions for ${service}`);
  if (list.length > maxIntentions)
    throw new ConsulError(`there are ${list.length} intentions for ${service}; ${maxIntentions} are allowed`);
  const intentions = new Map<string, Intention>();
  for (const entry of list) {
    // Callers of other clusters have certificates of an authority that this process does not have.
    if (textOrNone(field(entry, "SourcePeer"), "of a peer") !== undefined) continue;
    const intention = intentionOf(entry);
    if (!intentions.has(intention.source)) intentions.set(intention.source, intention);
  }
  return [...intentions.values()];
}

function intentionOf(entry: unknown): Intention {
  const source = textOrNone(field(entry, "SourceName"), "without a source");
  if (source === undefined) throw new ConsulError("an intention has no source");
  const id = `${source} → ${textOrNone(field(entry, "DestinationName"), `of ${source}`)}`;
  if (textOrNone(field(entry, "SourceSamenessGroup"), id) !== undefined) throw new ConsulError(`the intention ${id} has a sameness group`);
  const namespace = textOrNone(field(entry, "SourceNS"), id) ?? "default";
  if (namespace !== "default") throw new ConsulError(`the intention ${id} is of the namespace ${namespace}, and only default is supported`);
  const permissions = listOf(field(entry, "Permissions"), id).map((each) => permissionOf(each, id));
  const tokens = tokensOf(field(entry, "JWT"), id);
  return { id, source, permissions, tokens, action: permissions.length > 0 ? undefined : actionOf(field(entry, "Action"), id) };
}

function permissionOf(entry: unknown, id: string): IntentionPermission {
  refuseUnknown(entry, ["Action", "HTTP", "JWT"], id);
  const http = field(entry, "HTTP");
  objectOrNone(http, id);
  refuseUnknown(http, ["PathExact", "PathPrefix", "PathRegex", "Header", "Methods"], id);
  const [exact, prefix, regex] = onlyOne(http, ["PathExact", "PathPrefix", "PathRegex"], id);
  return {
    action: actionOf(field(entry, "Action"), id),
    path: exact !== undefined ? { exact } : prefix !== undefined ? { prefix } : regex !== undefined ? { regex } : undefined,
    headers: listOf(field(http, "Header"), id).flatMap((each) => headerOf(each, id)),
    methods: listOf(field(http, "Methods"), id).map((method) => textOf(method, id)),
    tokens: tokensOf(field(entry, "JWT"), id),
  };
}

function headerOf(entry: unknown, id: string): readonly IntentionHeader[] {
  refuseUnknown(entry, ["Name", "Present", "Exact", "Prefix", "Suffix", "Contains", "Regex", "Invert", "IgnoreCase"], id);
  const [exact, regex, prefix, suffix, contains] = onlyOne(entry, ["Exact", "Regex", "Prefix", "Suffix", "Contains"], id);
  const isPresent = flagOf(field(entry, "Present"), id);
  const test: IntentionHeader["test"] | undefined =
    exact !== undefined
      ? { exact }
      : regex !== undefined
        ? { regex }
        : prefix !== undefined
          ? { prefix }
          : suffix !== undefined
            ? { suffix }
            : contains !== undefined
              ? { contains }
              : isPresent
                ? { present: true }
                : undefined;
  if (test === undefined) throw new ConsulError(`the intention ${id} has a condition on a header that asks for nothing`);
  const name = textOf(field(entry, "Name"), id).toLowerCase();
  return [{ name, test, invert: flagOf(field(entry, "Invert"), id), ignoreCase: flagOf(field(entry, "IgnoreCase"), id) }];
}

function tokensOf(entry: unknown, id: string): readonly TokenRequirement[] {
  objectOrNone(entry, id);
  return listOf(field(entry, "Providers"), id).map((provider) => ({
    provider: textOf(field(provider, "Name"), id),
    claims: listOf(field(provider, "VerifyClaims"), id).map((claim) => ({
      path: listOf(field(claim, "Path"), id).map((each) => textOf(each, id)),
      value: textOf(field(claim, "Value"), id),
    })),
  }));
}

function actionOf(action: unknown, id: string): IntentionAction {
  if (action === "allow" || action === "deny") return action;
  throw new ConsulError(`the intention ${id} has an action that is neither allow nor deny`);
}

function listOf(value: unknown, id: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw new ConsulError(`the intention ${id} has something else in place of a list`);
}

/** The text of a field that may be left out or empty. One of another kind is an error: without its condition, an intention would allow more. */
function textOrNone(value: unknown, id: string): string | undefined {
  return value === undefined || value === null || value === "" ? undefined : textOf(value, id);
}

function flagOf(value: unknown, id: string): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value === "boolean") return value;
  throw new ConsulError(`the intention ${id} has something else in place of true or false`);
}

function objectOrNone(value: unknown, id: string): void {
  if (value === undefined || value === null || (typeof value === "object" && !Array.isArray(value))) return;
  throw new ConsulError(`the intention ${id} has something else in place of an object`);
}

/** The values of fields, of which one at most may be there. */
function onlyOne(object: unknown, names: readonly string[], id: string): readonly (string | undefined)[] {
  const values = names.map((name) => textOrNone(field(object, name), id));
  if (values.filter((value) => value !== undefined).length > 1)
    throw new ConsulError(`the intention ${id} has several of ${names.join(", ")}, of which one would be left out`);
  return values;
}

function textOf(value: unknown, id: string): string {
  if (typeof value === "string") return value;
  throw new ConsulError(`the intention ${id} has something else in place of a text`);
}

function refuseUnknown(object: unknown, known: readonly string[], id: string): void {
  if (typeof object !== "object" || object === null) return;
  for (const name of Object.keys(object))
    if (!known.includes(name)) throw new ConsulError(`the intention ${id} has a condition "${name.slice(0, 60)}" that is not understood`);
}
