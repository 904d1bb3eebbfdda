import { AddressList } from "../../core/peers/address-list.ts";
import type { Caller, VerifiedToken } from "../../core/peers/caller.ts";
import { linearRegex } from "../../patterns/linear-regex.ts";
import type { ClaimConditions, HeaderCondition, PathPattern, PolicyRule, TokenCondition } from "../policy.ts";
import type { AuthorizationRequest } from "../request.ts";
import { hostHeader, plainHost, withPlainHost } from "./host.ts";
import { matchesIdentity } from "./identity-pattern.ts";
import { matchesTemplate, parsePathTemplate } from "./path-pattern.ts";
import { isWithin, timeWindow } from "./time-window.ts";

/** One condition of a rule, ready to be asked. */
export type Condition = (request: AuthorizationRequest, caller: Caller, nowMs: number) => boolean;

/** Which conditions of a rule the index answers already. */
export interface Indexed {
  readonly identities: boolean;
  readonly methods: boolean;
  readonly paths: boolean;
}

/** The conditions of a rule that remain, the cheapest first. */
export function conditionsOf({ action, from = {}, to = {}, when }: PolicyRule, indexed: Indexed): readonly Condition[] {
  const { identities, notIdentities, addresses, notAddresses, token } = from;
  const { methods, notMethods, paths, notPaths, headers = [] } = to;
  const conditions: Condition[] = [];
  if (methods !== undefined && !indexed.methods) conditions.push(methodIn(methods));
  if (notMethods !== undefined) conditions.push(not(methodIn(notMethods)));
  if (identities !== undefined && !indexed.identities) conditions.push(identityIn(identities));
  if (notIdentities !== undefined) conditions.push(not(identityIn(notIdentities)));
  if (when !== undefined) {
    const window = timeWindow(when);
    conditions.push((_request, _caller, nowMs) => isWithin(window, nowMs));
  }
  if (paths !== undefined && !indexed.paths) conditions.push(pathIn(paths));
  if (notPaths !== undefined) conditions.push(not(pathIn(notPaths)));
  if (addresses !== undefined) conditions.push(addressIn(addresses));
  if (notAddresses !== undefined) conditions.push(not(addressIn(notAddresses)));
  for (const header of headers) conditions.push(headerHolds(header, action === "allow"));
  if (token !== undefined) conditions.push((_request, { tokens }) => tokens.some((each) => tokenHolds(token, each)));
  return conditions;
}

function not(condition: Condition): Condition {
  return (request, caller, nowMs) => !condition(request, caller, nowMs);
}

function methodIn(methods: readonly string[]): Condition {
  const set = new Set(methods);
  return ({ method }) => set.has(method);
}

function identityIn(patterns: readonly string[]): Condition {
  const isWide = (pattern: string): boolean => pattern === "*" || pattern.endsWith("/");
  const wide = [...new Set(patterns.filter(isWide))];
  // Without the others: a caller that is called as a pattern is not what the pattern means.
  const exact = new Set(patterns.filter((pattern) => !isWide(pattern)));
  return (_request, { identity }) =>
    identity !== undefined && (exact.has(identity) || wide.some((pattern) => matchesIdentity(pattern, identity)));
}

function pathIn(patterns: readonly PathPattern[]): Condition {
  // Most are whole paths, which cost the same however many there are.
  const isWhole = (pattern: PathPattern): boolean => typeof pattern === "string" && !/[{*]/.test(pattern);
  const whole = new Set(patterns.filter(isWhole) as readonly string[]);
  const tests = patterns
    .filter((pattern) => !isWhole(pattern))
    .map((pattern) => {
      if (typeof pattern !== "string") {
        const regex = linearRegex(pattern.regex);
        return (path: string) => regex.matches(path);
      }
      const template = parsePathTemplate(pattern);
      return (path: string) => matchesTemplate(template, path);
    });
  return ({ path }) => whole.has(path) || tests.some((test) => test(path));
}

function addressIn(networks: readonly string[]): Condition {
  const list = new AddressList(networks);
  return (_request, { address }) => list.has(address);
}

/** Of several values, a rule that allows wants all to match: a sender may add one that does. */
function headerHolds(condition: HeaderCondition, wantsAll: boolean): Condition {
  const { present: wanted, not: isInverted = false } = condition;
  const name = condition.name.toLowerCase();
  if (wanted !== undefined) return (request) => request.headerValues(name).length > 0 === (wanted !== isInverted);
  const isHost = name === hostHeader;
  const matches = valueTest(isHost ? withPlainHost(condition) : condition);
  const holds = (value: string): boolean => matches(isHost ? plainHost(value) : value) !== isInverted;
  return (request) => {
    const values = request.headerValues(name);
    if (values.length === 0) return isInverted;
    return wantsAll ? values.every(holds) : values.some(holds);
  };
}

function valueTest({ exact, prefix, suffix, regex }: HeaderCondition): (value: string) => boolean {
  if (exact !== undefined) {
    const set = new Set(typeof exact === "string" ? [exact] : exact);
    return (value) => set.has(value);
  }
  if (prefix !== undefined) return (value) => value.startsWith(prefix);
  if (suffix !== undefined) return (value) => value.endsWith(suffix);
  const compiled = linearRegex(regex ?? "");
  return (value) => compiled.matches(value);
}

function tokenHolds({ providers, issuers, subjects, claims }: TokenCondition, token: VerifiedToken): boolean {
  if (providers !== undefined && !providers.includes(token.provider)) return false;
  if (issuers !== undefined && !issuers.includes(token.issuer)) return false;
  if (subjects !== undefined && !(token.subject !== undefined && subjects.includes(token.subject))) return false;
  return claims === undefined || claimsHold(claims, token.claims);
}

function claimsHold(conditions: ClaimConditions, claims: Readonly<Record<string, unknown>>): boolean {
  for (const name of Object.keys(conditions)) {
    const condition = conditions[name] as ClaimConditions[string];
    // `constructor` is a name like any other.
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
    if (!Array.isArray(condition)) {
      if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
      if (!claimsHold(condition as ClaimConditions, value as Readonly<Record<string, unknown>>)) return false;
    } else if (!hasOne(condition as readonly unknown[], name, value)) return false;
  }
  return true;
}

function hasOne(wanted: readonly unknown[], name: string, value: unknown): boolean {
  if (Array.isArray(value)) return value.some((element) => wanted.includes(element));
  // RFC 8693 §4.2
  if (name === "scope" && typeof value === "string") return value.split(" ").some((scope) => wanted.includes(scope));
  return wanted.includes(value);
}
