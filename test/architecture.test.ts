import { type Dirent, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { bundledPackages, knownPackages, violationsOf } from "./architecture/rules.ts";

const root = join(import.meta.dirname, "..");

function readSources(): ReadonlyMap<string, string> {
  const src = join(root, "src");
  // A declaration file describes a package as it is, default export and all; a README says why a folder is fenced off.
  // Of the live page in the browser only the programs are looked at.
  const isOfPage = (entry: Dirent) => /[\\/]admin[\\/]page$/.test(entry.parentPath) && /\.(html|css|svg|json)$/.test(entry.name);
  const isSource = (entry: Dirent) => entry.isFile() && !/\.d\.ts$|^README\.md$/.test(entry.name) && !isOfPage(entry);
  const files = readdirSync(src, { recursive: true, withFileTypes: true }).filter(isSource);
  return new Map(
    files.map((entry) => {
      const file = join(entry.parentPath, entry.name);
      return [file.slice(src.length + 1).replaceAll("\\", "/"), readFileSync(file, "utf8")] as const;
    }),
  );
}

/** The violations in a tree of innocent files and `planted` ones. */
function violationsWith(planted: Readonly<Record<string, string>>): readonly string[] {
  const innocent = {
    "core/clock.ts": "export const clock = 1;\n",
    "discovery/discovery.ts": 'import { clock } from "../core/clock.ts";\nexport const discovery = clock;\n',
    "balancer/picker.ts": "export const picker = 1;\n",
    "policies/retry/p-retry/repeat.ts": 'import pRetry from "p-retry";\nexport const retry = pRetry;\n',
    "registries/consul.ts": 'import type { Agent } from "node:http";\nexport type Consul = Agent;\n',
    "registries/eureka.ts": 'import { discovery } from "../discovery/discovery.ts";\nexport const eureka = discovery;\n',
    "mesh/mesh.ts": 'import { retry } from "../policies/retry/p-retry/repeat.ts";\nexport const mesh = retry;\n',
    "testing/index.ts": 'export { mesh } from "../mesh/mesh.ts";\n',
    "index.ts": 'export { mesh } from "./mesh/mesh.ts";\n',
  };
  return violationsOf(new Map(Object.entries({ ...innocent, ...planted })));
}

/** A function of so many lines. */
function lengthy(first: string, last: string, lines: number): string {
  return `${first}\n${"  // line\n".repeat(lines - 2)}${last}`;
}

describe("the sources", () => {
  it("keep to the table of rooms, packages and habits", () => {
    const sources = readSources();
    expect(sources.size).toBeGreaterThan(50);
    expect(violationsOf(sources)).toEqual([]);
  });

  it("import every package that package.json declares, and no other", () => {
    const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Record<string, object>;
    const { dependencies, peerDependencies, devDependencies } = manifest;
    expect([...knownPackages].sort()).toEqual(Object.keys({ ...dependencies, ...peerDependencies }).sort());
    expect(Object.keys({ ...devDependencies })).toEqual(expect.arrayContaining([...bundledPackages.keys()]));
  });
});

describe("the rules", () => {
  it("have nothing against an innocent tree", () => {
    expect(violationsWith({})).toEqual([]);
  });

  it.each([
    ["core imports another room", "core/bad.ts", 'import { picker } from "../balancer/picker.ts";', '"core" imports "balancer"'],
    ["core does I/O", "core/bad.ts", 'import { readFile } from "node:fs/promises";', "node:fs/promises"],
    ["core imports a vendor", "core/bad.ts", 'import pRetry from "p-retry";', "p-retry is imported only in policies/retry/p-retry/"],
    [
      "one inner room imports another",
      "policies/bad.ts",
      'import { picker } from "../balancer/picker.ts";',
      '"policies" imports "balancer"',
    ],
    ["only a type crosses", "policies/bad.ts", 'import type { picker } from "../balancer/picker.ts";', '"policies" imports "balancer"'],
    ["a room is re-exported", "policies/bad.ts", 'export * from "../balancer/picker.ts";', '"policies" imports "balancer"'],
    ["a room is imported late", "policies/bad.ts", 'await import("../balancer/picker.ts");', '"policies" imports "balancer"'],
    [
      "a room is imported in a type",
      "policies/bad.ts",
      'type P = typeof import("../balancer/picker.ts");',
      '"policies" imports "balancer"',
    ],
    ["an adapter knows the mesh", "registries/bad.ts", 'import { mesh } from "../mesh/mesh.ts";', '"registries" imports "mesh"'],
    [
      "an adapter knows another one",
      "registries/consul/x.ts",
      'import { eureka } from "../eureka.ts";',
      '"registries/consul" imports "registries"',
    ],
    ["the mesh knows an adapter", "mesh/bad.ts", 'import { eureka } from "../registries/eureka.ts";', '"mesh" imports "registries"'],
    ["the mesh knows the test kit", "mesh/bad.ts", 'import "../testing/index.ts";', '"mesh" imports "testing"'],
    ["the index pulls in an adapter", "index.ts", 'export { eureka } from "./registries/eureka.ts";', '"index" imports "registries"'],
    ["the mesh knows the index", "mesh/bad.ts", 'import { mesh } from "../index.ts";', '"mesh" imports "index"'],
    ["undici is imported elsewhere", "mesh/fetch.ts", 'import { Pool } from "undici";', "undici is imported only in wire/undici/"],
    ["a file inside undici is", "mesh/fetch.ts", 'import Pool from "undici/lib/dispatcher/pool.js";', "undici is imported only in"],
    ["only a type of undici is", "mesh/fetch.ts", 'import type { Pool } from "undici";', "undici is imported only in"],
    [
      "consul is required elsewhere",
      "discovery/bad.ts",
      'createRequire(import.meta.url)("consul");',
      "consul is imported only in registries/consul/",
    ],
    [
      "consul is loaded by another name",
      "discovery/bad.ts",
      'const found = load("consul");',
      "consul is imported only in registries/consul/",
    ],
    ["an adapter takes another's vendor", "registries/consul.ts", 'require("eureka-js-client");', "eureka-js-client is imported only in"],
    ["opossum leaves its room", "mesh/bad.ts", 'import CircuitBreaker from "opossum";', "opossum is imported only in circuit/"],
    ["p-retry leaves the retries", "mesh/bad.ts", 'import pRetry from "p-retry";', "p-retry is imported only in policies/retry/p-retry/"],
    [
      "OpenTelemetry leaves its room",
      "mesh/bad.ts",
      'import { trace } from "@opentelemetry/api";',
      "@opentelemetry/api is imported only in telemetry/",
    ],
    ["a package has no place", "mesh/bad.ts", 'import got from "got";', "got has no place in the table"],
    ["the server part of the page draws", "admin/bad.ts", 'import uPlot from "uplot";', "uplot is imported only in admin/page/"],
    ["the package imports itself", "mesh/bad.ts", 'import { createMesh } from "inmesh";', "inmesh has no place in the table"],
    ["a Node module lacks its prefix", "mesh/bad.ts", 'import { join } from "path";', "path has no place in the table"],
    ["an import is computed", "mesh/bad.ts", "await import(name);", "cannot be checked"],
    ["a require is computed", "mesh/bad.ts", "require(name);", "cannot be checked"],
    ["an import leaves src", "mesh/bad.ts", 'import manifest from "../../package.json";', "../../package.json is no file in src"],
    ["an import leads nowhere", "mesh/bad.ts", 'import { gone } from "./gone.ts";', "./gone.ts is no file in src"],
    ["a room is invented", "plugins/x.ts", "export const x = 1;", '"plugins" is no room'],
    ["a file imports itself", "mesh/bad.ts", 'import { bad } from "./bad.ts";', "imports itself: mesh/bad.ts → mesh/bad.ts"],
    ["a file is a default export", "mesh/bad.ts", "export default 1;", "default export"],
    ["a function is a default export", "mesh/bad.ts", "export default function f() {}", "default export"],
    ["a name is exported as default", "mesh/bad.ts", "const a = 1;\nexport { a as default };", "default export"],
    ["a file is called utils", "mesh/utils.ts", "export const x = 1;", "says nothing"],
    ["a file has a helper in its name", "mesh/retry-helpers.ts", "export const x = 1;", "says nothing"],
    ["a folder is called helpers", "mesh/helpers/x.ts", "export const x = 1;", "says nothing"],
    ["a file is a manager", "mesh/connection-manager.ts", "export const x = 1;", "says nothing"],
    ["a file name is in camel case", "mesh/connectionPool.ts", "export const x = 1;", "kebab-case"],
    ["a file has 301 lines", "mesh/bad.ts", "// line\n".repeat(300), "301 lines, at most 300"],
    [
      "an upstream is counted outside of the ledger",
      "policies/bad.ts",
      'import { statisticsOf } from "../core/clock.ts";\nexport const x = statisticsOf;',
      "statistics are written in attempts/attempt-ledger.ts",
    ],
    ["the index does something", "index.ts", "export const x = 1;", "table of contents"],
    [
      "a function has 61 lines",
      "mesh/bad.ts",
      lengthy("export function f(): void {", "}", 61),
      "mesh/bad.ts:1: f has 61 lines, at most 60",
    ],
    ["a method has", "mesh/bad.ts", `export class C {\n${lengthy("  m(): void {", "  }", 61)}\n}`, "mesh/bad.ts:2: m has 61 lines"],
    ["a constructor has", "mesh/bad.ts", `export class C {\n${lengthy("  constructor() {", "  }", 61)}\n}`, "constructor has 61 lines"],
    ["an arrow function has", "mesh/bad.ts", lengthy("export const f = () => {", "};", 61), "mesh/bad.ts:1: f has 61 lines"],
    ["a method of an object has", "mesh/bad.ts", `export const o = {\n${lengthy("  m() {", "  },", 61)}\n};`, "m has 61 lines"],
    ["a callback has", "mesh/bad.ts", lengthy("[1].map(() => {", "});", 61), "a function without a name has 61 lines"],
    ["a function has a comment without a reason", "mesh/bad.ts", `// Over 60 lines:\n${lengthy("function f() {", "}", 61)}`, "f has 61"],
    ["the reason is not directly above", "mesh/bad.ts", `// Over 60 lines: a table.\n\n${lengthy("function f() {", "}", 61)}`, "f has 61"],
  ])("notice when %s", (_what, path, text, expected) => {
    const violations = violationsWith({ [path]: `${text}\n` });
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(path);
    expect(violations[0]).toContain(expected);
  });

  it("allow a function of 60 lines, a longer one with its reason above, and a class of any length", () => {
    const reasons = [
      "// Over 60 lines: a table of cases.",
      "/** Doc.\n *\n * Over 60 lines: a table of cases.\n */",
      "/** Doc. */\n// Over 60 lines: a table.",
    ];
    for (const reason of ["", ...reasons])
      expect(
        violationsWith({ "mesh/good.ts": `${reason}\n${lengthy("export function f(): void {", "}", reason === "" ? 60 : 200)}\n` }),
      ).toEqual([]);
    const methods = Array.from({ length: 10 }, (_, index) => lengthy(`  m${index}(): void {`, "  }", 20)).join("\n");
    expect(violationsWith({ "mesh/good.ts": `export class C {\n${methods}\n}\n` })).toEqual([]);
  });

  it("say where", () => {
    expect(violationsWith({ "core/bad.ts": '// first\n\nimport "undici";\n' })[0]).toMatch(/^core\/bad\.ts:3: /);
  });

  it("notice a circle of files, however long", () => {
    const circle = {
      "mesh/a.ts": 'import { b } from "./b.ts";\nexport const a = () => b;\n',
      "mesh/b.ts": 'export { c as b } from "./c.ts";\n',
      "mesh/c.ts": 'export const c = () => import("./a.ts");\n',
    };
    expect(violationsWith(circle)).toEqual(["mesh/a.ts: imports itself: mesh/a.ts → mesh/b.ts → mesh/c.ts → mesh/a.ts"]);
  });

  it("notice a circle that type imports close", () => {
    const circle = {
      "mesh/a.ts": 'import { b } from "./b.ts";\nexport const a = b;\n',
      "mesh/b.ts": 'import type { a } from "./a.ts";\nexport const b = 1;\nexport type A = typeof a;\n',
    };
    expect(violationsWith(circle)).toEqual(["mesh/a.ts: imports itself: mesh/a.ts → mesh/b.ts → mesh/a.ts"]);
  });

  it("notice a room of more than twenty files", () => {
    const files = Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`attempts/f${index}.ts`, "export const x = 1;\n"]));
    expect(violationsWith(files)).toEqual(["attempts: 21 files, at most 20: it is several rooms"]);
  });

  it("know that an import of nothing but inline types still runs", () => {
    const circle = {
      "mesh/a.ts": 'import { b } from "./b.ts";\nexport const a = b;\n',
      "mesh/b.ts": 'import { type a } from "./a.ts";\nexport const b = 1;\nexport type A = typeof a;\n',
    };
    expect(violationsWith(circle)).toHaveLength(1);
  });

  it("allow core a type of Node's", () => {
    expect(violationsWith({ "core/good.ts": 'import type { UnderlyingByteSource } from "node:stream/web";\n' })).toEqual([]);
  });

  it("allow 300 lines and a package in its place", () => {
    expect(violationsWith({ "wire/undici/undici.ts": `import { Pool } from "undici";\nexport { Pool };\n${"//\n".repeat(298)}` })).toEqual(
      [],
    );
  });
});
