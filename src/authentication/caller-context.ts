import { createPrivateKey, type KeyObject, randomUUID } from "node:crypto";
import { type Clock, systemClock } from "../core/clock.ts";
import type { Caller } from "../core/peers/caller.ts";
import { checkInteger, checkKeys, checkObject, checkText } from "../core/settings/checks.ts";
import { issuerOf } from "./compact-token.ts";
import { KeySet } from "./key-set.ts";
import { fixedKeys, type KeySource } from "./key-source.ts";
import { loadJose } from "./load-jose.ts";
import { SignedTokens } from "./signed-tokens.ts";
import { TokenRefused, type TokenVerifier } from "./token-verifier.ts";
import { type PublicJwk, publicAlgorithms } from "./verification-key.ts";

/** The header in which a statement about a caller is passed on. */
const header = "x-caller-context";
const type = "caller-context+jwt";
const providerName = "caller-context";
const maxHops = 8;
const skew = 30;
const maxLifetimeMs = 300_000;

/** Options of {@link callerContext}. */
export interface CallerContextOptions {
  /** The name of this service as an issuer. */
  readonly issuer: string;
  /** The private key of this service, of P-256 or Ed25519: PEM, or an object of `node:crypto`. */
  readonly key: string | KeyObject;
  /** The id of the key, where receivers know several of this service. @default none */
  readonly keyId?: string;
  /** How long a statement holds, in milliseconds. @default 10000 */
  readonly lifetimeMs?: number;
  /** The source of time, for tests. @default the process's own clock */
  readonly clock?: Clock;
}

/** The receiver of a statement about a caller, and what it says beside the subject. */
export interface PassedOn {
  /** The service that the statement is for; no other one accepts it. */
  readonly audience: string;
  /** Claims of the caller that the receiver needs. @default none */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** Makes signed statements about callers. */
export interface CallerContext {
  /**
   * The header by which a handler passes its caller on: `mesh.fetch(url, { headers: await context.headers(caller, { audience: "payments" }) })`. Rejects
   * for a caller without anything verified, and where the statement has been passed on too often.
   */
  headers(caller: Caller, to: PassedOn): Promise<Record<string, string>>;
}

/**
 * Makes short signed statements about the caller of a request, for the next service to decide by. Nothing passes one on by itself: a handler that acts for
 * its caller says so with each call, and one that acts for itself sends none.
 * @throws TypeError or RangeError naming the option, for a wrong one.
 */
export function callerContext(options: CallerContextOptions): CallerContext {
  checkObject("callerContext", options);
  checkKeys("callerContext", options, ["issuer", "key", "keyId", "lifetimeMs", "clock"]);
  const { issuer, keyId, lifetimeMs = 10_000, clock = systemClock } = options;
  if (issuer === undefined) throw new TypeError("callerContext: issuer is missing");
  checkText("callerContext: issuer", issuer);
  checkText("callerContext: keyId", keyId);
  checkInteger("callerContext: lifetimeMs", lifetimeMs, 1_000, maxLifetimeMs);
  const { key, alg } = signingKey(options.key);
  const { CompactSign } = loadJose();
  const protectedHeader = { alg, typ: type, ...(keyId === undefined ? {} : { kid: keyId }) };
  return {
    async headers(caller, { audience, claims = {} }) {
      checkText("callerContext: audience", audience);
      if (audience === undefined) throw new TypeError("callerContext: audience is missing");
      const { subject, hops } = provenanceOf(caller);
      const iat = Math.floor(clock.wallNow() / 1_000);
      const statement = {
        iss: issuer,
        aud: audience,
        sub: subject,
        iat,
        exp: iat + Math.ceil(lifetimeMs / 1_000),
        jti: randomUUID(),
        hops: [...hops, issuer],
        claims,
      };
      const token = await new CompactSign(Buffer.from(JSON.stringify(statement))).setProtectedHeader(protectedHeader).sign(key);
      return { [header]: token };
    },
  };
}

/** Options of {@link callerContexts}. */
export interface CallerContextsOptions {
  /** The public keys of the services whose statements are believed, by their names as issuers. */
  readonly issuers: Readonly<Record<string, readonly PublicJwk[]>>;
  /** The name of this service, as statements for it have it. */
  readonly audience: string;
  /** Whether a request without a statement is refused. @default "optional" */
  readonly mode?: "required" | "optional";
  /** The source of time, for tests. @default the process's own clock */
  readonly clock?: Clock;
}

/**
 * Verifies the statements of {@link callerContext}: a provider of `authentication` with the name `caller-context`. The issuer of its token is the service
 * that makes the statement, the subject is the caller that the statement is about.
 * @throws TypeError naming the option, for a wrong one.
 */
export function callerContexts(options: CallerContextsOptions): TokenVerifier {
  checkObject("callerContexts", options);
  checkKeys("callerContexts", options, ["issuers", "audience", "mode", "clock"]);
  const { issuers, audience, mode = "optional", clock = systemClock } = options;
  if (typeof audience !== "string" || audience === "") throw new TypeError("callerContexts: audience must be a name");
  const sources = new Map<string, KeySource>();
  for (const [issuer, jwks] of Object.entries(issuers ?? {})) {
    const set = new KeySet(publicAlgorithms);
    set.replace(jwks);
    if (set.keys.length === 0) throw new TypeError("callerContexts: issuers has one without a key for signatures");
    sources.set(issuer, fixedKeys(set.keys));
  }
  if (sources.size === 0) throw new TypeError("callerContexts: issuers is empty");
  const tokens = new SignedTokens({
    provider: providerName,
    clock,
    demands: { audience: [audience], skew, maxLifetime: maxLifetimeMs / 1_000 },
    keysFor({ type: given, claims }) {
      if (given !== type) throw new TokenRefused("it is of another type");
      const source = sources.get(String(claims["iss"]));
      if (source === undefined) throw new TokenRefused("it is of another issuer");
      return source;
    },
    touch: () => {},
  });
  const place = { kind: "header", name: header } as const;
  const isFor = (text: string): boolean => sources.has(issuerOf(text) ?? "");
  return { name: providerName, isRequired: mode === "required", place, isFor, verify: (text) => tokens.verify(text) };
}

/** The caller that a request is for: the one that a service before has stated, else the one of its own token, else the one of the connection. */
function provenanceOf({ identity, tokens }: Caller): { readonly subject: string; readonly hops: readonly unknown[] } {
  const stated = tokens.find(({ provider }) => provider === providerName);
  const subject = stated?.subject ?? tokens.find((each) => each.subject !== undefined)?.subject ?? identity;
  if (subject === undefined) throw new TypeError("callerContext: nothing is verified of the caller");
  const hops = Array.isArray(stated?.claims["hops"]) ? (stated.claims["hops"] as readonly unknown[]) : [];
  if (hops.length >= maxHops) throw new RangeError(`callerContext: the caller was passed on ${maxHops} times`);
  return { subject, hops };
}

function signingKey(given: unknown): { readonly key: KeyObject; readonly alg: "ES256" | "EdDSA" } {
  let key: KeyObject | undefined;
  try {
    key = typeof given === "string" ? createPrivateKey(given) : (given as KeyObject);
  } catch {
    // The error may quote the key.
  }
  if (key?.type === "private" && key.asymmetricKeyType === "ed25519") return { key, alg: "EdDSA" };
  if (key?.type === "private" && key.asymmetricKeyDetails?.namedCurve === "prime256v1") return { key, alg: "ES256" };
  throw new TypeError("callerContext: key must be a private key of P-256 or Ed25519");
}
