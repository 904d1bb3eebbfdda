import type { AuthorizationRequest } from "../../../../authorization/request.ts";
import { linearRegex } from "../../../../patterns/linear-regex.ts";
import type { IntentionAction, IntentionHeader, IntentionPermission, TokenRequirement } from "./intention.ts";

/** A permission that is ready to decide. */
export interface CompiledPermission {
  readonly action: IntentionAction;
  readonly tokens: readonly TokenRequirement[];
  /** Whether path, headers and method are as it says; its tokens are asked for apart. */
  matches(request: AuthorizationRequest): boolean;
}

type Test<T> = (value: T) => boolean;

/** Throws where a regular expression is none of RE2. */
export function compilePermission({ action, tokens, path, headers, methods }: IntentionPermission): CompiledPermission {
  const isPath = path === undefined ? undefined : pathTest(path);
  const tests = headers.map(headerTest);
  return {
    action,
    tokens,
    matches(request) {
      if (isPath !== undefined && !isPath(request.path)) return false;
      if (methods.length > 0 && !methods.includes(request.method)) return false;
      return tests.every((test) => test(request));
    },
  };
}

function pathTest(path: NonNullable<IntentionPermission["path"]>): Test<string> {
  if ("exact" in path) return (given) => given === path.exact;
  if ("prefix" in path) return (given) => given.startsWith(path.prefix);
  const regex = linearRegex(path.regex);
  return (given) => regex.matches(given);
}

/** As the sidecar: of several values one is enough, and a header that is absent matches no condition on its value, an inverted one neither. */
function headerTest({ name, test, invert, ignoreCase }: IntentionHeader): Test<AuthorizationRequest> {
  if ("present" in test) return (request) => valuesOf(request, name).length > 0 !== invert;
  const isValue = valueTest(test, ignoreCase);
  return (request) => {
    const values = valuesOf(request, name);
    return values.length > 0 && values.some(isValue) !== invert;
  };
}

function valueTest(test: Exclude<IntentionHeader["test"], { readonly present: true }>, ignoreCase: boolean): Test<string> {
  if ("regex" in test) {
    const regex = linearRegex(ignoreCase ? `(?i)(?:${test.regex})` : test.regex);
    return (value) => regex.matches(value);
  }
  const folded = (value: string): string => (ignoreCase ? value.toLowerCase() : value);
  if ("exact" in test) return (value) => folded(value) === folded(test.exact);
  if ("prefix" in test) return (value) => folded(value).startsWith(folded(test.prefix));
  if ("suffix" in test) return (value) => folded(value).endsWith(folded(test.suffix));
  return (value) => folded(value).includes(folded(test.contains));
}

/** The names that only HTTP/2 has mean the same for HTTP/1. */
function valuesOf(request: AuthorizationRequest, name: string): readonly string[] {
  if (name === ":method") return [request.method];
  return request.headerValues(name === ":authority" ? "host" : name);
}
