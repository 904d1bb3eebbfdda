import { X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import { describeError } from "../../core/errors.ts";
import type { Credentials } from "../../identity/credentials.ts";
import { fileIdentity } from "../../identity/files/file-identity.ts";
import type { IdentitySource, IdentityWatch } from "../../identity/identity-source.ts";
import type { CertificateFiles } from "./listen-options.ts";

/** A certificate with its key, as connections use it. */
interface Ready {
  readonly certificate: X509Certificate;
  readonly context: SecureContext;
  readonly credentials: Credentials;
}

/** The certificates of a listener. Each is replaced as its source says; one that cannot be used replaces nothing. */
export class Certificates {
  /** Resolves when each has come; rejects with the first that cannot be used. */
  readonly ready: Promise<void>;
  readonly #current: (Ready | undefined)[];
  readonly #watches: IdentityWatch[];
  readonly #onDefault: (credentials: Credentials) => void;

  /** @param onDefault told of the first certificate, for clients that ask for no name */
  constructor(given: readonly (CertificateFiles | IdentitySource)[], onDefault: (credentials: Credentials) => void) {
    this.#current = given.map(() => undefined);
    this.#onDefault = onDefault;
    const first = given.map(() => Promise.withResolvers<void>());
    this.#watches = given.map((each, index) => {
      const { resolve, reject } = first[index] as PromiseWithResolvers<void>;
      const take = (credentials: Credentials): void => {
        try {
          this.#take(index, credentials);
          resolve();
        } catch (error) {
          refuse(error as Error);
        }
      };
      const refuse = (error: Error): void => reject(new Error(`certificates[${index}] cannot be used: ${describeError(error)}`));
      // The one before stays in use: without any, no client could be told why.
      return sourceOf(each).watch({ update: take, withdraw: refuse, fail: refuse });
    });
    this.ready = Promise.all(first.map(({ promise }) => promise)).then(() => {});
    this.ready.catch(() => {});
  }

  /** The certificate for the name that a client asks for. */
  for(name: string): SecureContext | undefined {
    const found = this.#current.find((each) => each?.certificate.checkHost(name) !== undefined) ?? this.#current[0];
    return found?.context;
  }

  close(): void {
    for (const watch of this.#watches) watch.close();
  }

  #take(index: number, credentials: Credentials): void {
    const certificate = new X509Certificate(credentials.certificate);
    const context = createSecureContext({ cert: credentials.certificate, key: credentials.key });
    this.#current[index] = { certificate, context, credentials };
    if (index === 0) this.#onDefault(credentials);
  }
}

/** The certificate stands for its authority: nothing is judged by it here. */
function sourceOf(given: CertificateFiles | IdentitySource): IdentitySource {
  if ("watch" in given) return given;
  const { cert, key, allowReadableKey = false } = given;
  return fileIdentity({ cert, key, ca: cert, allowReadableKey });
}
