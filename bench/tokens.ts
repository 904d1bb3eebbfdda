import { generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { exportJWK, SignJWT } from "jose";
import { jwt } from "../src/authentication/jwt.ts";
import { measuredVersion } from "./measured-node.ts";
import { atMost, type BenchReport } from "./report.ts";
import { measureRounds } from "./rounds.ts";

const issuer = "https://login.example.org";
const users = 1_024;
const remembered = 200_000;
const verified = 500;

/** Measures what the token of a request costs a server: one that was verified within the last minute, and one that is new. */
export async function tokens(rounds = 9): Promise<BenchReport> {
  const { privateKey, publicKey } = (await promisify(generateKeyPair)("ec", { namedCurve: "P-256" })) as {
    privateKey: KeyObject;
    publicKey: KeyObject;
  };
  const key = { ...(await exportJWK(publicKey)), kid: "2026", alg: "ES256" } as never;
  const verifierOf = () => jwt({ issuer, audience: "orders", jwks: { keys: [key] } });
  const texts = await Promise.all(Array.from({ length: users }, (_, index) => tokenOf(`user-${index}`, privateKey)));
  const textAt = (index: number): string => texts[index % users] as string;
  const measured = await measureRounds("tokens", rounds, {
    "verified before": async () => {
      // A verifier of its own for each turn: what it remembers it forgets within a minute.
      using verifier = closing(verifierOf());
      for (const text of texts) await verifier.verify(text);
      const startedAt = cpuMicros();
      // Without a promise: that is what the requests of a user cost.
      for (let index = 0; index < remembered; index++) if (verifier.verify(textAt(index)) instanceof Promise) throw new Error("forgotten");
      return (cpuMicros() - startedAt) / remembered;
    },
    "verified for the first time": async () => {
      using verifier = closing(verifierOf());
      const startedAt = cpuMicros();
      for (let index = 0; index < verified; index++) await verifier.verify(textAt(index));
      return (cpuMicros() - startedAt) / verified;
    },
  });
  const rows = (["verified before", "verified for the first time"] as const).map(
    (name) => [name, measured.median(name), Math.min(...measured.values(name))] as const,
  );
  const again = measured.median("verified before");
  return {
    bench: "tokens",
    about: `CPU that the token of a request costs a server (ES256, ${texts[0]?.length} characters, ${users} users in turn): it is looked up by its digest, or its signature is verified`,
    node: measuredVersion(),
    rounds,
    columns: ["token", "µs, median of the rounds", "µs, fastest round"],
    rows,
    bounds: [atMost("µs of a token that was verified before", again, 2)],
    ratios: { "verified before × for the first time": measured.ratio("verified before", "verified for the first time") },
  };
}

/** All threads: signatures are verified beside the event loop. */
function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function tokenOf(subject: string, key: KeyObject): Promise<string> {
  return new SignJWT({ scope: "read write" })
    .setProtectedHeader({ alg: "ES256", kid: "2026" })
    .setIssuer(issuer)
    .setAudience("orders")
    .setSubject(subject)
    .setExpirationTime("1 hour")
    .sign(key);
}

function closing<Verifier extends object>(verifier: Verifier): Verifier & Disposable {
  return Object.assign(verifier, { [Symbol.dispose]: () => (verifier as { close?(): void }).close?.() });
}
