import { chmod, mkdir, mkdtemp, readFile, rename, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Credentials } from "../../../src/identity/credentials.ts";
import { fileIdentity } from "../../../src/identity/files/file-identity.ts";
import type { FileIdentityOptions } from "../../../src/identity/files/file-options.ts";
import type { IdentityWatch } from "../../../src/identity/identity-source.ts";
import { Authority, type Issued } from "../../support/odd-authority.ts";
import { until } from "../../support/until.ts";

let directory: string;
let authority: Authority;
let first: Issued;
let second: Issued;
const watches: IdentityWatch[] = [];

beforeAll(async () => {
  authority = await Authority.create();
  [first, second] = await Promise.all([authority.issue(), authority.issue()]);
});
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "identity-"));
});
afterEach(async () => {
  for (const watch of watches.splice(0)) watch.close();
  await rm(directory, { recursive: true });
});

const file = (name: string): string => join(directory, name);

async function write(issued: Issued, into = directory): Promise<void> {
  await mkdir(into, { recursive: true });
  await writeFile(join(into, "cert.pem"), issued.cert);
  await writeFile(join(into, "key.pem"), issued.key, { mode: 0o600 });
  await writeFile(join(into, "ca.pem"), authority.cert);
}

function watch(options: Partial<FileIdentityOptions> = {}) {
  const updates: Credentials[] = [];
  const failures: string[] = [];
  const source = fileIdentity({ cert: file("cert.pem"), key: file("key.pem"), ca: file("ca.pem"), pollMs: 10, ...options });
  watches.push(
    source.watch({
      update: (credentials) => updates.push(credentials),
      withdraw: () => {},
      fail: (error) => failures.push(error.message),
    }),
  );
  return { updates, failures };
}

describe("the identity in files", () => {
  test("is told once, and again when it changes", async () => {
    await write(first);
    const { updates, failures } = watch();
    await until("the files are read", () => updates.length === 1);
    expect(updates[0]).toMatchObject({ certificate: first.cert, key: first.key, trust: { authorities: [authority.cert] } });
    await write(second);
    await until("the files are read", () => updates.length === 2);
    expect(updates[1]?.certificate).toBe(second.cert);
    expect(failures).toEqual([]);
  });

  test("waits for the key of a new certificate, and tells neither of the mixed pairs", async () => {
    await write(first);
    const { updates } = watch();
    await until("the files are read", () => updates.length === 1);
    await writeFile(file("cert.pem"), second.cert);
    // Long enough for several readings of the mixed pair.
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(updates).toHaveLength(1);
    await writeFile(file("key.pem"), second.key);
    await until("the files are read", () => updates.length === 2);
    expect(updates.map(({ certificate, key }) => [certificate, key])).toEqual([
      [first.cert, first.key],
      [second.cert, second.key],
    ]);
  });

  test("changes by the swap of a symbolic link, and by a rename", async () => {
    await write(first, file("one"));
    await write(second, file("two"));
    await symlink("one", file("current"));
    const at = (name: string): string => join(file("current"), name);
    const { updates } = watch({ cert: at("cert.pem"), key: at("key.pem"), ca: at("ca.pem") });
    await until("the files are read", () => updates.length === 1);
    await symlink("two", file("next"));
    await rename(file("next"), file("current"));
    await until("the files are read", () => updates.length === 2);
    expect(updates[1]?.key).toBe(second.key);
  });

  test("is not taken while a file is half written, and is kept while one is missing", async () => {
    await write(first);
    const { updates, failures } = watch();
    await until("the files are read", () => updates.length === 1);
    await truncate(file("ca.pem"), 100);
    await until("the files are read", () => failures.length > 0);
    expect(failures[0]).toContain("only half there");
    await rm(file("cert.pem"));
    await until("the files are read", () => failures.some((each) => each.includes("cert.pem cannot be read")));
    expect(updates).toHaveLength(1);
    await write(second);
    await until("the files are read", () => updates.length === 2);
  });

  test("says after a while that the key belongs to another certificate, and quotes nothing of it", async () => {
    await write(first);
    await writeFile(file("key.pem"), second.key);
    const { updates, failures } = watch();
    await until("the files are read", () => failures.length > 0);
    expect(failures[0]).toContain("the key does not belong to the certificate");
    expect(failures.join()).not.toContain(second.key.split("\n")[1]);
    expect(updates).toEqual([]);
  });

  test.skipIf(process.platform === "win32")("refuses a key that every user may read, or others may write", async () => {
    await write(first);
    await chmod(file("key.pem"), 0o644);
    const { updates, failures } = watch();
    await until("the files are read", () => failures.length > 0);
    expect(failures[0]).toContain("every user may read this key (mode 0644)");
    const allowed = watch({ allowReadableKey: true });
    await until("the files are read", () => allowed.updates.length === 1);
    expect(updates).toEqual([]);
    await chmod(file("key.pem"), 0o666);
    await until("the files are read", () => allowed.failures.some((each) => each.includes("others may write this key")));
    await chmod(file("key.pem"), 0o640);
    await until("the files are read", () => updates.length === 1);
  });

  test("reads the bundles of trust domains and the revocations", async () => {
    await write(first);
    await writeFile(file("crl.pem"), await authority.revocations(["01"]));
    const { updates } = watch({ bundles: { "example.org": [file("ca.pem")] }, revocations: file("crl.pem") });
    await until("the files are read", () => updates.length === 1);
    expect(updates[0]?.trust.bundles.get("example.org")).toEqual([authority.cert]);
    expect(updates[0]?.trust.revocations).toEqual([await readFile(file("crl.pem"), "utf8")]);
  });

  test("refuses options that are wrong, and does not quote a key", () => {
    const good = { cert: "c", key: "k", ca: "a" };
    expect(() => fileIdentity({ ...good, key: first.key })).toThrow("fileIdentity: key must be the path of a file in PEM");
    expect(() => fileIdentity({ ...good, key: first.key })).not.toThrow(first.key.split("\n")[1]);
    expect(() => fileIdentity({ cert: "c", key: "k" })).toThrow("fileIdentity needs `ca` or `bundles`");
    expect(() => fileIdentity({ ...good, bundles: { "Example.org": "a" } })).toThrow("SPIFFE trust domains");
    expect(() => fileIdentity({ ...good, pollMs: 1 })).toThrow(RangeError);
    expect(() => fileIdentity({ ...good, cacert: "a" } as never)).toThrow("cacert");
  });
});
