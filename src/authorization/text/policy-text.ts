import type { ReadText } from "../../documents/part-path.ts";
import { contentOf, readDocument } from "../../documents/read-document.ts";
import { PolicyError } from "./policy-error.ts";

const policyKind = { name: "policy", whenEmpty: "a policy that denies every request is { rules: [] }", Fault: PolicyError };

/**
 * The text of a policy that may be parsed.
 * @throws PolicyError saying why it may not.
 */
export function policyContent(text: string, source: string): string {
  return contentOf(text, source, policyKind);
}

/**
 * Reads the text of a policy, in JSON or YAML.
 * @throws PolicyError with the place of the fault.
 */
export function readPolicyText(text: string, source: string): ReadText {
  return readDocument(text, source, policyKind);
}
