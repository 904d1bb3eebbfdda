import type { VerifiedToken } from "../../core/peers/caller.ts";
import type { ClaimConditions, PolicyRule, TokenCondition } from "../policy.ts";
import { closureOf, type Element } from "./closure.ts";
import { Asker, type Dimension, freeText, plainRequest, type RequestClass } from "./dimension.ts";

/** Tokens that are made for one condition. */
const maxTokens = 256;

/**
 * Tokens: none, and for each condition the tokens that have only what it asks for, alone and together. A condition asks for something to be there and never for it
 * to be absent, so that every request has the verdicts of some of these.
 */
export function tokenDimension(rules: readonly PolicyRule[]): Dimension {
  const asker = new Asker(tokenOf);
  const conditions = rules.flatMap(({ from }) => (from?.token === undefined ? [] : [from.token]));
  const provider = freeText("any-provider", (text) => conditions.some(({ providers = [] }) => providers.includes(text)));
  const issuer = freeText("any-issuer", (text) => conditions.some(({ issuers = [] }) => issuers.includes(text)));
  return {
    name: "token",
    partOf: tokenOf,
    classesFor(asked, cut) {
      const askers = [...new Map(asked.filter(({ from }) => from?.token).map((rule) => [JSON.stringify(rule.from?.token), rule]))];
      const elementOf = (items: readonly VerifiedToken[]): Element<VerifiedToken> => ({
        items,
        verdicts: askers.map(([, rule]) => (asker.holds(rule, { ...plainRequest, tokens: items }) ? "1" : "0")).join(""),
      });
      const singles = askers.flatMap(([, { from }]) => {
        const made = tokensFor(from?.token ?? {}, provider, issuer);
        if (made.length > maxTokens) cut(`of the tokens that a rule with from.token lets pass, ${maxTokens} are looked at`);
        return made.slice(0, maxTokens).map((token) => elementOf([token]));
      });
      const elements = closureOf(
        singles,
        (one, other) => joined(elementOf, one, other),
        () => cut("of the combinations of tokens and claims that the rules tell apart, not all are looked at"),
      );
      return [elementOf([]), ...elements].map(({ items, verdicts }): RequestClass => {
        const verdict = new Map(askers.map(([key], index) => [key, verdicts[index] === "1"]));
        return {
          label: items.length === 0 ? "none that a rule asks for" : items.map(labelOf).join(" and "),
          part: { tokens: items },
          isCertain: true,
          holds: ({ from }) => from?.token === undefined || verdict.get(JSON.stringify(from.token)) === true,
        };
      });
    },
  };
}

function tokenOf({ id, action, from }: PolicyRule): PolicyRule | undefined {
  return from?.token === undefined ? undefined : { id, action, from: { token: from.token } };
}

function labelOf({ claims }: VerifiedToken): string {
  return JSON.stringify(claims);
}

/** One token with the claims of both, where that has the same verdicts: a request seldom has several. */
function joined(
  elementOf: (items: readonly VerifiedToken[]) => Element<VerifiedToken>,
  one: Element<VerifiedToken>,
  other: Element<VerifiedToken>,
): Element<VerifiedToken> {
  const apart = elementOf([...one.items, ...other.items]);
  const [first, second] = [one.items[0], other.items[0]];
  if (one.items.length !== 1 || other.items.length !== 1 || first === undefined || second === undefined) return apart;
  if (first.provider !== second.provider || first.issuer !== second.issuer || first.subject !== second.subject) return apart;
  const both = elementOf([{ ...first, claims: mergedClaims(first.claims, second.claims) }]);
  return both.verdicts === apart.verdicts ? both : apart;
}

function mergedClaims(one: Readonly<Record<string, unknown>>, other: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const merged = new Map(Object.entries(one));
  for (const [name, value] of Object.entries(other)) {
    const there = merged.get(name);
    if (there === undefined || there === value) merged.set(name, value);
    else if (isObject(there) && isObject(value)) merged.set(name, mergedClaims(there, value));
    else merged.set(name, [...new Set([there, value].flat())]);
  }
  return Object.fromEntries(merged);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The tokens that have what a condition asks for and nothing else, one for each choice that it leaves; a few more than are used. */
function tokensFor(
  { providers, issuers, subjects, claims }: TokenCondition,
  anyProvider: string,
  anyIssuer: string,
): readonly VerifiedToken[] {
  const found: VerifiedToken[] = [];
  // `iss` and `sub` of a token are its issuer and its subject, and conditions may ask for either.
  const asOwn = (name: string): readonly (string | undefined)[] => {
    const values = claims !== undefined && Object.hasOwn(claims, name) ? claims[name] : undefined;
    return Array.isArray(values) ? values.map(String) : [];
  };
  const [iss, sub] = [asOwn("iss"), asOwn("sub")];
  const issuerChoices = issuers ?? (iss.length > 0 ? iss : [anyIssuer]);
  const subjectChoices = subjects ?? (sub.length > 0 ? sub : [undefined]);
  for (const asked of claimChoices(claims ?? {})) {
    for (const provider of providers ?? [anyProvider])
      for (const issuer of issuerChoices)
        for (const subject of subjectChoices) {
          const own = { iss: issuer ?? anyIssuer, ...(subject !== undefined && { sub: subject }) };
          found.push({ provider, issuer: issuer ?? anyIssuer, subject, claims: { ...asked, ...own } });
        }
    if (found.length > maxTokens) break;
  }
  return found;
}

function claimChoices(conditions: ClaimConditions): readonly Readonly<Record<string, unknown>>[] {
  let choices: Readonly<Record<string, unknown>>[] = [{}];
  for (const [name, condition] of Object.entries(conditions)) {
    const values: readonly unknown[] = Array.isArray(condition)
      ? // A text of scopes is taken apart at its spaces.
        condition.map((value) => (name === "scope" && String(value).includes(" ") ? [value] : value))
      : claimChoices(condition as ClaimConditions);
    choices = choices.flatMap((choice) => values.map((value) => Object.fromEntries([...Object.entries(choice), [name, value]])));
    if (choices.length > maxTokens) choices = choices.slice(0, maxTokens + 1);
  }
  return choices;
}
