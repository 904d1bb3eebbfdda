import { BlockList, isIP } from "node:net";
import type { Policy, PolicyRule } from "../../src/authorization/policy.ts";

/** A request with its caller, as the naive reading sees them. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly identity: string | undefined;
  readonly address: string | undefined;
  readonly tokens: readonly { provider: string; issuer: string; subject: string | undefined; claims: Record<string, unknown> }[];
  readonly nowMs: number;
}

/** Reads the rules one after the other, as the reference page describes them, with nothing of the product's code. */
export function naiveDecision({ rules }: Policy, asked: Asked): { allowed: boolean; ruleId: string | undefined; audits: string[] } {
  const matching = rules.filter((rule) => matches(rule, asked));
  const first = (action: string) => matching.find((rule) => rule.action === action)?.id;
  const audits = matching.filter(({ action }) => action === "audit").map(({ id }) => id);
  const denied = first("deny");
  if (denied !== undefined) return { allowed: false, ruleId: denied, audits };
  const allowed = first("allow");
  return { allowed: allowed !== undefined, ruleId: allowed, audits };
}

function matches({ action, from = {}, to = {}, when }: PolicyRule, asked: Asked): boolean {
  const { identity, address } = asked;
  const isOf = (pattern: string): boolean =>
    identity !== undefined &&
    (pattern === "*" || (pattern.endsWith("/") ? identity !== pattern && identity.startsWith(pattern) : identity === pattern));
  const isIn = (network: string): boolean => {
    if (address === undefined) return false;
    const [base = "", bits] = network.split("/");
    const list = new BlockList();
    const family = isIP(base) === 4 ? "ipv4" : "ipv6";
    list.addSubnet(base, bits === undefined ? (family === "ipv4" ? 32 : 128) : Number(bits), family);
    return list.check(address, isIP(address) === 4 ? "ipv4" : "ipv6");
  };
  const isAt = (pattern: unknown): boolean => {
    const source =
      typeof pattern === "string"
        ? pattern
            .replace(/[.+^$()|[\]\\]/g, "\\$&")
            .replace(/\{\w+\}/g, "[^/]+")
            .replace(/\/\*\*$/, "(?:/[^]*)?")
        : (pattern as { regex: string }).regex;
    return asked.path.startsWith("/") && new RegExp(`^(?:${source})$`).test(asked.path);
  };
  if (from.identities && !from.identities.some(isOf)) return false;
  if (from.notIdentities?.some(isOf)) return false;
  if (from.addresses && !from.addresses.some(isIn)) return false;
  if (from.notAddresses?.some(isIn)) return false;
  if (to.methods && !to.methods.includes(asked.method)) return false;
  if (to.notMethods?.includes(asked.method)) return false;
  if (to.paths && !to.paths.some(isAt)) return false;
  if (to.notPaths?.some(isAt)) return false;
  for (const header of to.headers ?? []) {
    const values = asked.headers.filter(([name]) => name.toLowerCase() === header.name.toLowerCase()).map(([, value]) => value);
    if (header.present !== undefined) {
      if ((values.length > 0 === header.present) === (header.not ?? false)) return false;
      continue;
    }
    const one = (value: string): boolean => {
      let hit: boolean;
      if (header.exact !== undefined) hit = [header.exact].flat().includes(value);
      else if (header.prefix !== undefined) hit = value.startsWith(header.prefix);
      else if (header.suffix !== undefined) hit = value.endsWith(header.suffix);
      else hit = new RegExp(`^(?:${header.regex})$`).test(value);
      return hit !== (header.not ?? false);
    };
    const hit = values.length === 0 ? (header.not ?? false) : action === "allow" ? values.every(one) : values.some(one);
    if (!hit) return false;
  }
  if (from.token) {
    const { providers, issuers, subjects, claims } = from.token;
    const holds = asked.tokens.some(
      (token) =>
        (!providers || providers.includes(token.provider)) &&
        (!issuers || issuers.includes(token.issuer)) &&
        (!subjects || subjects.some((subject) => subject === token.subject)) &&
        (!claims || claimsHold(claims, token.claims)),
    );
    if (!holds) return false;
  }
  if (when) {
    const now = new Date(asked.nowMs);
    if (when.after !== undefined && now < new Date(when.after)) return false;
    if (when.before !== undefined && now >= new Date(when.before)) return false;
    if (when.days && !when.days.includes((["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const)[now.getUTCDay()] as "sun"))
      return false;
    if (when.hours !== undefined) {
      const [from = "", until = ""] = when.hours.split("-");
      const time = now.toISOString().slice(11, 16);
      if (from < until ? time < from || time >= until : time < from && time >= until) return false;
    }
  }
  return true;
}

function claimsHold(conditions: object, claims: unknown): boolean {
  if (typeof claims !== "object" || claims === null || Array.isArray(claims)) return false;
  return Object.entries(conditions).every(([name, condition]) => {
    const value = Object.getOwnPropertyDescriptor(claims, name)?.value;
    if (!Array.isArray(condition)) return claimsHold(condition as object, value);
    const values = Array.isArray(value) ? value : name === "scope" && typeof value === "string" ? value.split(" ") : [value];
    return values.some((each) => condition.includes(each));
  });
}
