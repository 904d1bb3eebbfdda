import type { PartPath } from "../../documents/part-path.ts";
import { CompiledPolicy } from "../compiled-policy.ts";
import { pathOfTarget, pathProblem } from "../conditions/strict-path.ts";
import type { Policy } from "../policy.ts";
import { PolicyReader } from "../text/policy-reader.ts";
import { readPolicyText } from "../text/policy-text.ts";
import { checkPolicy } from "../text/read-policy.ts";

/** A request, with the decision that is expected of it. */
export interface PolicyCase {
  readonly name: string;
  readonly expect: "allowed" | "denied" | "refused";
  /** The rule that must decide; `undefined` for any. */
  readonly rule: string | undefined;
  readonly method: string;
  readonly target: string;
  readonly identity: string | undefined;
  readonly address: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly claims: Readonly<Record<string, unknown>> | undefined;
  readonly atMs: number;
}

/** A policy with its cases. */
export interface CaseFile {
  readonly policy: Policy;
  readonly cases: readonly PolicyCase[];
}

/** The outcome of one case. */
export interface CaseResult {
  readonly name: string;
  readonly passed: boolean;
  /** `allowed by read`, `denied`, `refused: the path has a dot segment` */
  readonly expected: string;
  readonly found: string;
}

const fields = ["name", "expect", "rule", "method", "path", "identity", "address", "headers", "claims", "at"];

/**
 * Reads a policy with `tests` beside `rules`.
 * @throws PolicyError with line and column.
 */
export function readCaseFile(text: string, source: string): CaseFile {
  const { value, placeOf } = readPolicyText(text, source);
  const read = new PolicyReader(source, placeOf);
  const { value: whole } = read.part([], value, ["rules", "dryRun", "tests"], ["rules", "tests"]);
  const policy = checkPolicy(value, source, placeOf);
  return { policy, cases: read.list(["tests"], whole["tests"]).map((each, index) => caseOf(read, ["tests", index], each)) };
}

function caseOf(read: PolicyReader, path: PartPath, given: unknown): PolicyCase {
  const { value } = read.part(path, given, fields, ["expect"]);
  const text = (name: string): string | undefined => (value[name] === undefined ? undefined : read.text([...path, name], value[name]));
  const object = (name: string): Readonly<Record<string, unknown>> | undefined => {
    const found = value[name];
    if (found === undefined) return undefined;
    if (typeof found !== "object" || found === null || Array.isArray(found)) read.refuse([...path, name], "it must be an object");
    return found as Record<string, unknown>;
  };
  const method = text("method") ?? "GET";
  const target = text("path") ?? "/";
  const at = text("at") ?? "2027-01-01T12:00:00Z";
  if (Number.isNaN(Date.parse(at))) read.refuse([...path, "at"], "it must be a moment such as 2027-01-31T08:00:00Z");
  const headers = Object.entries(object("headers") ?? {}).map(([name, header]): [string, string] => [
    name.toLowerCase(),
    read.text([...path, "headers", name], header),
  ]);
  return {
    name: text("name") ?? `${method} ${target}`,
    expect: read.choice([...path, "expect"], value["expect"], ["allowed", "denied", "refused"]),
    rule: text("rule"),
    method,
    target,
    identity: text("identity"),
    address: text("address"),
    headers: Object.fromEntries(headers),
    claims: object("claims"),
    atMs: Date.parse(at),
  };
}

/** Decides on each case as a server would, with strict paths. */
export function runCases({ policy, cases }: CaseFile): readonly CaseResult[] {
  const compiled = new CompiledPolicy(policy);
  return cases.map((each) => {
    const { decision, rule, said } = decideCase(compiled, each);
    const passed = decision === each.expect && (each.rule === undefined || each.rule === rule);
    return { name: each.name, passed, expected: each.rule === undefined ? each.expect : `${each.expect} by ${each.rule}`, found: said };
  });
}

function decideCase(compiled: CompiledPolicy, { method, target, identity, address, headers, claims, atMs }: PolicyCase) {
  const path = pathOfTarget(target);
  const problem = path === undefined ? "the target is no path" : pathProblem(path);
  if (path === undefined || problem !== undefined) return { decision: "refused", rule: undefined, said: `refused: ${problem}` };
  const headerValues = (name: string): readonly string[] => (Object.hasOwn(headers, name) ? [headers[name] as string] : []);
  const tokens = claims === undefined ? [] : [tokenOf(claims)];
  const { allowed, ruleId } = compiled.decide({ method, path, headerValues }, { identity, address, tokens }, atMs);
  const decision = allowed ? "allowed" : "denied";
  return { decision, rule: ruleId, said: ruleId === undefined ? "denied, as no rule allows it" : `${decision} by ${ruleId}` };
}

/** The token of a case: `provider`, `iss` and `sub` are among its claims. */
function tokenOf(claims: Readonly<Record<string, unknown>>) {
  const textOf = (name: string): string => (typeof claims[name] === "string" ? (claims[name] as string) : "");
  return { provider: textOf("provider"), issuer: textOf("iss"), subject: claims["sub"] === undefined ? undefined : textOf("sub"), claims };
}
