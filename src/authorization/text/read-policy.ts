import { resultOf, type Steps } from "../../core/json/steps.ts";
import { AddressList, isNetwork } from "../../core/peers/address-list.ts";
import type { FindPlace, PartPath } from "../../documents/read-document.ts";
import { checkIdentityPattern } from "../conditions/identity-pattern.ts";
import { parsePathTemplate } from "../conditions/path-pattern.ts";
import { days, timeWindow } from "../conditions/time-window.ts";
import type {
  ClaimConditions,
  HeaderCondition,
  PathPattern,
  Policy,
  PolicyRule,
  RuleFrom,
  RuleTo,
  RuleWindow,
  TokenCondition,
} from "../policy.ts";
import { type Part, PolicyReader } from "./policy-reader.ts";
import { readPolicyText } from "./policy-text.ts";

/** Rules of one policy. */
const maxRules = 10_000;
const headerTests = ["exact", "prefix", "suffix", "regex", "present"] as const;

/**
 * Reads a policy in JSON or YAML. `source` names it in errors.
 * @throws PolicyError with line and column, for what is no policy: an unknown field, an empty list, a method in lower case.
 */
export function parsePolicy(text: string, source = "policy"): Policy {
  const { value, placeOf } = readPolicyText(text, source);
  return checkPolicy(value, source, placeOf);
}

/**
 * Checks a policy that is an object already (`tests`, for the command `inmesh policy test`, are left unread), and gives a copy that later changes of the object do not reach.
 * @throws PolicyError naming the part that is wrong.
 */
export function checkPolicy(value: unknown, source = "policy", placeOf?: FindPlace): Policy {
  return resultOf(checkingPolicy(value, source, placeOf));
}

/** {@link checkPolicy} in steps, a rule each: ten thousand rules take a tenth of a second. */
export function* checkingPolicy(value: unknown, source = "policy", placeOf: FindPlace = () => undefined): Steps<Policy> {
  const read = new PolicyReader(source, placeOf);
  const { value: policy } = read.part([], value, ["rules", "dryRun", "tests"], ["rules"]);
  const list = read.list(["rules"], policy["rules"], true);
  if (list.length > maxRules) read.refuse(["rules"], `there are ${list.length} rules; ${maxRules} are allowed`);
  const ids = new Set<string>();
  const rules: PolicyRule[] = [];
  for (const [index, rule] of list.entries()) {
    rules.push(ruleOf(read, ["rules", index], rule, ids));
    yield;
  }
  return { rules, ...(policy["dryRun"] !== undefined && { dryRun: read.flag(["dryRun"], policy["dryRun"]) }) };
}

function ruleOf(read: PolicyReader, path: PartPath, given: unknown, ids: Set<string>): PolicyRule {
  const { value } = read.part(path, given, ["id", "action", "from", "to", "when"], ["id", "action"]);
  const id = read.text([...path, "id"], value["id"]);
  if (!/^[\w.:/-]{1,100}$/.test(id)) read.refuse([...path, "id"], "it must have 1 to 100 letters, digits, ., _, :, / and -");
  if (ids.has(id)) read.refuse([...path, "id"], `another rule has the id ${id}`);
  ids.add(id);
  const action = read.choice([...path, "action"], value["action"], ["allow", "deny", "audit"]);
  const from = value["from"] === undefined ? undefined : fromOf(read, [...path, "from"], value["from"]);
  if (action === "allow" && from?.notIdentities !== undefined && from.identities === undefined)
    read.refuse(
      [...path, "from", "notIdentities"],
      'a caller without an identity has none of these either; an allowing rule also says which ones: identities: ["*"]',
      true,
    );
  const to = value["to"] === undefined ? undefined : toOf(read, [...path, "to"], value["to"]);
  const when = value["when"] === undefined ? undefined : windowOf(read, [...path, "when"], value["when"]);
  return { id, action, ...(from && { from }), ...(to && { to }), ...(when && { when }) };
}

function fromOf(read: PolicyReader, path: PartPath, given: unknown): RuleFrom {
  const part = notEmpty(read, read.part(path, given, ["identities", "notIdentities", "addresses", "notAddresses", "token"]));
  const { token } = part.value;
  return present<RuleFrom>({
    identities: read.texts(part, "identities", checkIdentityPattern),
    notIdentities: read.texts(part, "notIdentities", checkIdentityPattern),
    addresses: read.texts(part, "addresses", checkAddress),
    notAddresses: read.texts(part, "notAddresses", checkAddress),
    token: token === undefined ? undefined : tokenOf(read, [...path, "token"], token),
  });
}

function checkAddress(text: string): void {
  // The list says why a text is none, and costs more.
  if (!isNetwork(text)) new AddressList([text]);
}

function tokenOf(read: PolicyReader, path: PartPath, given: unknown): TokenCondition {
  const part = read.part(path, given, ["providers", "issuers", "subjects", "claims"]);
  const { claims } = part.value;
  return present<TokenCondition>({
    providers: read.texts(part, "providers"),
    issuers: read.texts(part, "issuers"),
    subjects: read.texts(part, "subjects"),
    claims: claims === undefined ? undefined : claimsOf(read, [...path, "claims"], claims),
  });
}

function claimsOf(read: PolicyReader, path: PartPath, given: unknown): ClaimConditions {
  if (typeof given !== "object" || given === null || Array.isArray(given))
    read.refuse(path, "it must be an object with a list for each claim");
  const entries = Object.entries(given).map(([name, value]: [string, unknown]) => {
    const here = [...path, name];
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return [name, claimsOf(read, here, value)] as const;
    for (const [index, element] of read.list(here, value).entries())
      if (!["string", "number", "boolean"].includes(typeof element))
        read.refuse([...here, index], "it must be a text, a number, true or false");
    return [name, [...(value as readonly string[])]] as const;
  });
  if (entries.length === 0) read.refuse(path, "it names no claim; leave it out for any");
  return Object.fromEntries(entries);
}

function toOf(read: PolicyReader, path: PartPath, given: unknown): RuleTo {
  const part = notEmpty(read, read.part(path, given, ["methods", "notMethods", "paths", "notPaths", "headers"]));
  const { headers } = part.value;
  const here = [...path, "headers"];
  return present<RuleTo>({
    methods: read.texts(part, "methods", checkMethod),
    notMethods: read.texts(part, "notMethods", checkMethod),
    paths: pathsOf(read, part, "paths"),
    notPaths: pathsOf(read, part, "notPaths"),
    headers: headers === undefined ? undefined : read.list(here, headers).map((each, index) => headerOf(read, [...here, index], each)),
  });
}

function checkMethod(text: string): void {
  if (/[a-z]/.test(text)) throw new Error(`methods are in capitals: ${text.toUpperCase()}`);
  if (!/^[A-Z\d!#$%&'*+.^_`|~-]+$/.test(text) || text.includes("*")) throw new Error("it is no method; leave methods out for any");
}

function pathsOf(read: PolicyReader, { path, value }: Part, name: string): readonly PathPattern[] | undefined {
  const given = value[name];
  if (given === undefined) return undefined;
  const here = [...path, name];
  return read.list(here, given).map((each, index) => {
    const place = [...here, index];
    if (typeof each !== "object" || each === null) {
      const text = read.text(place, each);
      read.attempt(place, () => parsePathTemplate(text));
      return text;
    }
    return { regex: read.regex([...place, "regex"], read.part(place, each, ["regex"], ["regex"]).value["regex"]) };
  });
}

function headerOf(read: PolicyReader, path: PartPath, given: unknown): HeaderCondition {
  const part = read.part(path, given, ["name", ...headerTests, "not"], ["name"]);
  const { value } = part;
  const name = read.text([...path, "name"], value["name"]);
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) read.refuse([...path, "name"], "it is no name of a header");
  const tests = headerTests.filter((test) => value[test] !== undefined);
  const [test] = tests;
  if (test === undefined || tests.length > 1) read.refuse(path, `it must have exactly one of ${headerTests.join(", ")}`);
  const here = [...path, test];
  const not = value["not"] === undefined ? {} : { not: read.flag([...path, "not"], value["not"]) };
  if (test === "present") return { name, present: read.flag(here, value["present"]), ...not };
  if (test === "exact" && Array.isArray(value["exact"])) return { name, exact: read.texts(part, "exact") ?? [], ...not };
  return { name, [test]: test === "regex" ? read.regex(here, value[test]) : read.text(here, value[test]), ...not };
}

function windowOf(read: PolicyReader, path: PartPath, given: unknown): RuleWindow {
  const part = notEmpty(read, read.part(path, given, ["after", "before", "days", "hours"]));
  const text = (name: "after" | "before" | "hours"): string | undefined =>
    part.value[name] === undefined ? undefined : read.text([...path, name], part.value[name]);
  const list = part.value["days"];
  const window = present<RuleWindow>({
    after: text("after"),
    before: text("before"),
    hours: text("hours"),
    days:
      list === undefined
        ? undefined
        : read.list([...path, "days"], list).map((day, index) => read.choice([...path, "days", index], day, days)),
  });
  read.attempt(path, () => timeWindow(window));
  return window;
}

/** An object of conditions without one is a mistake: it would match all. */
function notEmpty(read: PolicyReader, part: Part): Part {
  if (Object.keys(part.value).length === 0) read.refuse(part.path, "it has no condition; leave it out to match all");
  return part;
}

/** Without the fields that are `undefined`. */
function present<Whole extends object>(given: { readonly [Name in keyof Whole]: Whole[Name] | undefined }): Whole {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Whole;
}
