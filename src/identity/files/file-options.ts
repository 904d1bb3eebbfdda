import { fileURLToPath } from "node:url";
import { type Clock, systemClock } from "../../core/clock.ts";
import { checkFlag, checkKeys, checkNumber, checkObject, maxTimerMs, refuseOption } from "../../core/settings/checks.ts";
import { quoted } from "../../core/text/clean-text.ts";

/** Options of {@link fileIdentity}. */
export interface FileIdentityOptions {
  /** The file of the certificate and the intermediate ones above it, leaf first; PEM. */
  readonly cert: string | URL;
  /** The file of the key; PEM, not encrypted. */
  readonly key: string | URL;
  /** Files of the authorities of peers whose certificate has no SPIFFE id; PEM. Default: none. */
  readonly ca?: string | URL | readonly (string | URL)[];
  /** Files of the authorities of each SPIFFE trust domain, by its name; PEM. Default: none. */
  readonly bundles?: Readonly<Record<string, string | URL | readonly (string | URL)[]>>;
  /** Files of lists of revoked certificates; PEM. Default: none. */
  readonly revocations?: string | URL | readonly (string | URL)[];
  /** How often the files are read, in milliseconds. Default 2,000. */
  readonly pollMs?: number;
  /**
   * `true` takes a key that every user of the machine may read, as in a volume whose file system has no modes. Default `false`: it is refused, and so is one
   * that others may write in any case.
   */
  readonly allowReadableKey?: boolean;
  /** Time, for tests. */
  readonly clock?: Clock;
}

/** The options with their defaults, and every file by its path. */
export interface FileIdentitySettings {
  readonly cert: string;
  readonly key: string;
  readonly ca: readonly string[];
  readonly bundles: ReadonlyMap<string, readonly string[]>;
  readonly revocations: readonly string[];
  readonly pollMs: number;
  readonly allowReadableKey: boolean;
  readonly clock: Clock;
}

const known: readonly (keyof FileIdentityOptions)[] = [
  "cert",
  "key",
  "ca",
  "bundles",
  "revocations",
  "pollMs",
  "allowReadableKey",
  "clock",
];
const trustDomain = /^[a-z0-9._-]{1,255}$/;

/**
 * Checks the options.
 * @throws TypeError or RangeError naming the option; a value that may be a key is not quoted.
 */
export function settleFileIdentity(options: FileIdentityOptions): FileIdentitySettings {
  checkObject("fileIdentity: options", options);
  checkKeys("fileIdentity", options, known);
  const { bundles = {}, pollMs = 2_000, allowReadableKey = false, clock = systemClock } = options;
  checkNumber("fileIdentity: pollMs", pollMs, 10, maxTimerMs);
  checkFlag("fileIdentity: allowReadableKey", allowReadableKey);
  checkObject("fileIdentity: bundles", bundles);
  const ca = pathsOf("ca", options.ca);
  const named = Object.entries(bundles).map(([domain, files]): [string, readonly string[]] => {
    if (!trustDomain.test(domain)) refuseOption("fileIdentity: bundles", domain, "an object whose keys are SPIFFE trust domains");
    return [domain, pathsOf(`bundles[${quoted(domain)}]`, files)];
  });
  if (ca.length === 0 && named.every(([, files]) => files.length === 0))
    throw new TypeError("fileIdentity needs `ca` or `bundles`: without an authority no peer can be judged");
  return {
    cert: pathOf("cert", options.cert),
    key: pathOf("key", options.key),
    ca,
    bundles: new Map(named),
    revocations: pathsOf("revocations", options.revocations),
    pollMs,
    allowReadableKey,
    clock,
  };
}

function pathsOf(option: string, value: string | URL | readonly (string | URL)[] | undefined): readonly string[] {
  if (value === undefined) return [];
  return (Array.isArray(value) ? value : [value]).map((each) => pathOf(option, each));
}

function pathOf(option: string, value: string | URL): string {
  if (value instanceof URL) return fileURLToPath(value);
  if (typeof value !== "string" || value === "" || value.includes("-----BEGIN "))
    throw new TypeError(`fileIdentity: ${option} must be the path of a file in PEM, and not its text`);
  return value;
}
