import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

/** The oldest versions without a fault that an attacker could use and that this package cannot mend, by the advisory that set the floor. */
const floors: Readonly<Record<string, readonly [floor: string, advisory: string]>> = {
  node: ["22.23.0", "CVE-2026-48618, CVE-2026-48930, CVE-2026-48934: names in TLS, and sessions of other hosts"],
  undici: ["7.30.2", "CVE-2026-6733: answers of another request"],
  "@grpc/grpc-js": ["1.10.9", "CVE-2024-37168: memory without bound"],
};

interface Manifest {
  readonly engines: { readonly node: string };
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8")) as Manifest;
const ranges: Readonly<Record<string, string>> = { ...manifest.peerDependencies, ...manifest.dependencies, node: manifest.engines.node };

/** The oldest version that a range of the forms `^1.2.3`, `~1.2.3` and `>=1.2` allows. */
function oldest(range: string): readonly number[] {
  const [, version] = /^(?:\^|~|>=)(\d+(?:\.\d+){0,2})$/.exec(range) ?? [];
  if (version === undefined) throw new Error(`the range ${range} has another form`);
  return version.split(".").map(Number);
}

function isAtLeast(version: readonly number[], floor: readonly number[]): boolean {
  for (let index = 0; index < 3; index++) {
    const [own, wanted] = [version[index] ?? 0, floor[index] ?? 0];
    if (own !== wanted) return own > wanted;
  }
  return true;
}

it.each(Object.entries(floors))("no version of %s is allowed below its floor", (name, [floor]) => {
  expect(isAtLeast(oldest(ranges[name] ?? ""), floor.split(".").map(Number))).toBe(true);
});

it("a range below a floor would be seen", () => {
  expect(isAtLeast(oldest("^7.29.9"), [7, 30, 2])).toBe(false);
  expect(isAtLeast(oldest(">=22.22"), [22, 23, 0])).toBe(false);
});
