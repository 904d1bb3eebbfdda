import type { Clock } from "../core/clock.ts";
import { systemClock } from "../core/clock.ts";
import { parseSpiffeId } from "../core/peers/spiffe-id.ts";
import { checkKeys, checkObject } from "../core/settings/checks.ts";
import { type CompactToken, readCompact } from "./compact-token.ts";
import { KeySet } from "./key-set.ts";
import { fixedKeys, type KeySource } from "./key-source.ts";
import { SignedTokens } from "./signed-tokens.ts";
import { placeOf, type TokenPlaceOption } from "./token-place.ts";
import { TokenRefused, type TokenVerifier } from "./token-verifier.ts";
import { type PublicJwk, publicAlgorithms } from "./verification-key.ts";

/** Where the keys of trust domains come from, as from the SPIFFE Workload API. */
export interface JwtBundleSource {
  /**
   * The keys of a trust domain (`example.org`) for JWT-SVIDs, those of a JSON Web Key Set with `use: "jwt-svid"`; `undefined` for a domain that is not trusted.
   * The same array as long as they are the same.
   */
  keysOf(trustDomain: string): readonly PublicJwk[] | undefined;
}

/** Options of {@link jwtSvid}. */
export interface JwtSvidOptions {
  /** The keys of the trust domains. */
  readonly bundles: JwtBundleSource;
  /** The names of this service as a receiver, of which the claim `aud` has to have one. */
  readonly audience: string | readonly string[];
  /** Whether a request without a JWT-SVID is refused. @default "required" */
  readonly mode?: "required" | "optional";
  /** @default "bearer" */
  readonly place?: TokenPlaceOption;
  /** Names the provider in the verified token. @default "jwt-svid" */
  readonly name?: string;
  /** The source of time, for tests. @default the process's own clock */
  readonly clock?: Clock;
}

/** Without `Ed25519`: JWT-SVID §3.1 has the families RS, ES and PS alone. */
const algorithms: readonly string[] = publicAlgorithms.slice(0, 9);
const skew = 30;
const day = 86_400;
const maxDomains = 1_000;

/**
 * Verifies JWT-SVIDs: tokens whose subject is a SPIFFE id, by the keys of the trust domain of that id and no others. The header has `alg`, `kid` and `typ` only.
 * @throws TypeError naming the option, for a wrong one.
 */
export function jwtSvid(options: JwtSvidOptions): TokenVerifier {
  checkObject("jwtSvid", options);
  checkKeys("jwtSvid", options, ["bundles", "audience", "mode", "place", "name", "clock"]);
  const { bundles, audience, mode = "required", place = "bearer", name = "jwt-svid", clock = systemClock } = options;
  if (typeof bundles?.keysOf !== "function") throw new TypeError("jwtSvid: bundles must be a source with keysOf");
  const audiences = [audience].flat();
  if (audiences.length === 0 || !audiences.every((each) => typeof each === "string" && each !== ""))
    throw new TypeError("jwtSvid: audience must be a name, or an array of names");
  const domains = new DomainKeys(bundles);
  const tokens = new SignedTokens({
    provider: name,
    clock,
    demands: { audience: audiences, skew, maxLifetime: day },
    keysFor(token) {
      checkHeader(token);
      return domains.sourceOf(domainOf(token.claims["sub"]));
    },
    touch: () => domains.renew(),
  });
  const isSvid = (text: string): boolean => {
    try {
      return parseSpiffeId(String(readCompact(text).claims["sub"])) !== undefined;
    } catch {
      return false;
    }
  };
  return {
    name,
    isRequired: mode !== "optional",
    place: placeOf("jwtSvid: place", place),
    isFor: isSvid,
    verify: (text) => tokens.verify(text),
  };
}

function checkHeader({ header, type }: CompactToken): void {
  for (const each of Object.keys(header))
    if (each !== "alg" && each !== "kid" && each !== "typ") throw new TokenRefused("its header has more than alg, kid and typ");
  if (type !== undefined && type !== "JWT" && type !== "JOSE") throw new TokenRefused("it is of another type");
}

function domainOf(subject: unknown): string {
  const id = typeof subject === "string" ? parseSpiffeId(subject) : undefined;
  if (id === undefined) throw new TokenRefused("its subject is not a SPIFFE id");
  // JWT-SVID §3.1 wants that of a workload, as X509-SVID does.
  if (id.path === "") throw new TokenRefused("its subject is the id of a trust domain, and of no workload");
  return id.trustDomain;
}

/** The keys of the domains that tokens have named, as their source has them now. */
class DomainKeys {
  readonly #bundles: JwtBundleSource;
  readonly #domains = new Map<string, { set: KeySet; jwks: readonly PublicJwk[] }>();

  constructor(bundles: JwtBundleSource) {
    this.#bundles = bundles;
  }

  sourceOf(domain: string): KeySource {
    const jwks = this.#bundles.keysOf(domain);
    if (jwks === undefined) throw new TokenRefused("its trust domain is not trusted");
    let known = this.#domains.get(domain);
    if (known === undefined) {
      if (this.#domains.size >= maxDomains) throw new TokenRefused("there are too many trust domains");
      known = { set: new KeySet(algorithms, "jwt-svid"), jwks: [] };
      this.#domains.set(domain, known);
    }
    if (known.jwks !== jwks) known.set.replace(jwks);
    known.jwks = jwks;
    return fixedKeys(known.set.keys);
  }

  /** Takes over what the source has now, so that a key that has gone takes its tokens along. */
  renew(): void {
    for (const [domain, known] of this.#domains) {
      const jwks = this.#bundles.keysOf(domain) ?? [];
      if (jwks === known.jwks) continue;
      known.set.replace(jwks);
      known.jwks = jwks;
      if (jwks.length === 0) this.#domains.delete(domain);
    }
  }
}
