import type { PolicyRule } from "../policy.ts";
import { type Dimension, freeText, sampled } from "./dimension.ts";

/** Identities: none, each that is named, one below each path, and one that no rule names. */
export function identityDimension(rules: readonly PolicyRule[]): Dimension {
  const patterns = [...new Set(rules.flatMap(({ from = {} }) => [...(from.identities ?? []), ...(from.notIdentities ?? [])]))];
  const below = patterns.filter((pattern) => pattern.endsWith("/"));
  const exact = new Set(patterns.filter((pattern) => pattern !== "*" && !pattern.endsWith("/")));
  const isNamed = (identity: string): boolean => exact.has(identity);
  const other = freeText("spiffe://other.example", (text) => isNamed(`${text}/any`) || below.includes(`${text}/`));
  const samples = [
    { label: "no identity", part: { identity: undefined } },
    ...[...exact].map((identity) => ({ label: identity, part: { identity } })),
    ...below.map((path) => ({ label: `any other below ${path}`, part: { identity: freeText(`${path}other`, isNamed) } })),
    { label: "any other identity", part: { identity: `${other}/any` } },
  ];
  return sampled("caller", identitiesOf, samples);
}

function identitiesOf({ id, action, from }: PolicyRule): PolicyRule | undefined {
  const { identities, notIdentities } = from ?? {};
  if (identities === undefined && notIdentities === undefined) return undefined;
  return { id, action, from: { ...(identities && { identities }), ...(notIdentities && { notIdentities }) } };
}

/** Methods: each that is named, and one that no rule names. */
export function methodDimension(rules: readonly PolicyRule[]): Dimension {
  const named = new Set(rules.flatMap(({ to = {} }) => [...(to.methods ?? []), ...(to.notMethods ?? [])]));
  const other = freeText("OTHER", (text) => named.has(text));
  const samples = [...[...named].map((method) => ({ label: method, part: { method } })), { label: "any other", part: { method: other } }];
  return sampled("method", methodsOf, samples);
}

function methodsOf({ id, action, to }: PolicyRule): PolicyRule | undefined {
  const { methods, notMethods } = to ?? {};
  if (methods === undefined && notMethods === undefined) return undefined;
  return { id, action, to: { ...(methods && { methods }), ...(notMethods && { notMethods }) } };
}
