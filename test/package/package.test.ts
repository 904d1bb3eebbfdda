import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commands } from "../../src/cli/commands.ts";
import { oldestNode } from "../../src/core/node/node-version.ts";
import { requireDist } from "../dist.ts";
import { brokenLinksOf } from "../docs/links.ts";
import { type Page, readPage } from "../docs/markdown.ts";
import { available, nodeProgram } from "../servers/available.ts";
import { type Consumer, install, pack, root, type Tarball } from "./consumer.ts";
import {
  bundledProgram,
  cjsProgram,
  classesProgram,
  ctsProgram,
  esmProgram,
  footprintProgram,
  oldNodeProgram,
  startProgram,
  tsProgram,
  withoutPeersProgram,
  wrongProgram,
} from "./programs.ts";

/**
 * In bytes, gzipped. What makes it grow past this should be worth its place in every user's node_modules. It is code, declarations and
 * the docs with their pictures.
 */
const maxTarballSize = 1_500_000;

/** TypeScript 6 takes long to check every declaration of Node's. */
const compilerTimeoutMs = 60_000;

const programs = {
  "consumer.mjs": esmProgram,
  "consumer.cjs": cjsProgram,
  "consumer.ts": tsProgram,
  "classes.mjs": classesProgram,
  "footprint.mjs": footprintProgram,
  "start.mjs": startProgram,
  "bundled.mjs": bundledProgram,
  "without-peers.mjs": withoutPeersProgram,
  "old-node.mjs": oldNodeProgram,
  "package.json": '{ "private": true, "type": "module" }',
};
const greeting = ["200 hello from /path", "consul at http://127.0.0.1:8500", "eureka at http://127.0.0.1:8761/eureka", "function"].join(
  "\n",
);

let directory: string;
let tarball: Tarball;
/** Has the optional peers. */
let whole: Consumer;
/** Has not. */
let bare: Consumer;

beforeAll(async () => {
  requireDist();
  directory = await mkdtemp(join(tmpdir(), "inmesh-package-"));
  tarball = await pack(directory);
  whole = await install(tarball, ["consul", "eureka-js-client", "@types/node"], programs);
  bare = await install(tarball, [], programs);
});
afterAll(async () => {
  await whole?.[Symbol.asyncDispose]();
  await bare?.[Symbol.asyncDispose]();
  if (directory !== undefined) await rm(directory, { recursive: true, force: true });
});

const nodes = [
  { version: "22.23.3", isAvailable: available("node22"), program: () => nodeProgram("node22") },
  { version: process.versions.node, isAvailable: true, program: () => process.execPath },
  { version: "26.10.0", isAvailable: available("node26"), program: () => nodeProgram("node26") },
];

for (const { version, isAvailable, program } of nodes) {
  describe.skipIf(!isAvailable)(`the installed package on Node ${version}`, () => {
    it("is really run by it", async () => {
      expect((await whole.run(program(), ["--version"])).stdout).toBe(`v${version}\n`);
    });

    it.each(["consumer.mjs", "consumer.cjs", "consumer.ts"])("works for %s, without a warning", async (file) => {
      const { code, stdout, stderr } = await whole.run(program(), [file]);
      expect({ code, stdout: stdout.trim(), stderr }).toEqual({ code: 0, stdout: greeting, stderr: "" });
    });

    it("has one copy of a class for all its entries", async () => {
      const { code, stdout, stderr } = await whole.run(program(), ["classes.mjs"]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(JSON.parse(stdout)).toEqual([
        ["ERR_MESH_REGISTRATION", true],
        ["ERR_MESH_DISCOVERY", true],
        ["ERR_MESH_PROTOCOL", true],
      ]);
    });

    it.each(["before fetch", "after fetch"])("changes nothing global and keeps no process alive, imported %s was used", async (when) => {
      const { code, stdout, stderr } = await whole.run(program(), ["footprint.mjs", when]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(JSON.parse(stdout)).toEqual({ changed: [], active: [] });
    });

    it("would be seen to change something global", async () => {
      const { stdout } = await whole.run(program(), ["footprint.mjs", "as undici"]);
      expect(JSON.parse(stdout)).toMatchObject({ changed: expect.arrayContaining(["undici.globalDispatcher.1"]) });
    });

    it("loads no more for a first call than that needs", async () => {
      const { code, stdout, stderr } = await whole.run(program(), ["start.mjs"]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      const { packages, undici, ...rest } = JSON.parse(stdout) as Readonly<Record<"packages" | "undici", readonly string[]>>;
      expect(packages).toContain("undici");
      expect(packages).not.toContain("@opentelemetry/api");
      expect(packages).not.toContain("yaml");
      expect(packages).not.toContain("dns-packet");
      expect(undici.filter((path) => !/^lib\/((api|core|dispatcher|llhttp|util)\/|handler\/(un)?wrap-handler\.js$)/.test(path))).toEqual(
        [],
      );
      const after = expect.arrayContaining(["internal/deps/undici/undici"]);
      expect(rest).toEqual({ before: [], isResponse: true, after, throughDispatcher: 200 });
    });

    it("loads without the optional peers, and says which one to install when it is needed", async () => {
      const { code, stdout, stderr } = await bare.run(program(), ["without-peers.mjs"]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      const [consul, eureka, prometheus, jwt] = JSON.parse(stdout) as [string, string, string, string];
      expect(consul).toMatch(/npm install consul\b/);
      expect(eureka).toMatch(/npm install eureka-js-client\b/);
      expect(prometheus).toMatch(/npm install @prometheus-io\/client\b/);
      expect(jwt).toMatch(/npm install jose\b/);
    });

    it("has a command that needs nothing but the package, and shows what to install where it does", async () => {
      const command = ["node_modules/inmesh/dist/cli/inmesh.js"];
      const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string };
      expect(await bare.run(program(), [...command, "--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
      const found = await bare.run(program(), [...command, "endpoints", "a", "--static", "a=127.0.0.1:1", "-o", "json"]);
      expect(JSON.parse(found.stdout)).toMatchObject({ service: "a", endpoints: [{ address: "127.0.0.1:1" }] });
      const path = `PATH=${dirname(program())}:${process.env["PATH"]}`;
      const help = await bare.run("env", [path, "npx", "--no", "--", "inmesh", "--help"]);
      // What npm has to say about settings of this machine is on stderr.
      expect(help).toMatchObject({ code: 0, stdout: expect.stringContaining("Usage: inmesh COMMAND") });
      // The help of a command is in its own code, which is loaded with all that it imports.
      for (const name of commands.keys())
        expect(await bare.run(program(), [...command, name, "--help"])).toMatchObject({
          code: 0,
          stdout: expect.stringContaining(name),
          stderr: "",
        });
      const demo = await bare.run(program(), [...command, "demo", "--seconds", "2"]);
      expect(demo).toMatchObject({ code: 0, stderr: "", stdout: expect.stringContaining("No GET failed.") });
      const assets = await bare.run(program(), [...command, "assets", "--out", "assets"]);
      expect(assets).toMatchObject({ code: 0, stderr: "", stdout: expect.stringContaining("alerting-rules.yml") });
      expect(await bare.run(program(), [...command, "services", "--consul", "http://127.0.0.1:1"])).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("npm install consul"),
      });
    });

    it("keeps its inner files to itself and shows its package.json", async () => {
      const script = `import("inmesh/package.json", { with: { type: "json" } }).then(({ default: { name } }) => console.log(name));
        import("inmesh/dist/core/clock.js").catch(({ code }) => console.log(code));`;
      const { stdout } = await whole.run(program(), ["-e", script]);
      expect(stdout.trim().split("\n").sort()).toEqual(["ERR_PACKAGE_PATH_NOT_EXPORTED", "inmesh"]);
    });
  });
}

describe("the package on an older Node", () => {
  it.each(["18.20.8", "20.20.2", "22.22.9"])("says by each entry which it needs, before anything of %s is missed", async (version) => {
    const { code, stdout, stderr } = await whole.run(process.execPath, ["old-node.mjs", version]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toEqual([`inmesh needs Node.js ${oldestNode} or later, and this is ${version}`]);
  });

  it("says so by its command too, in one line", async () => {
    const older = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.20.2" } })`;
    const args = ["--import", `data:text/javascript,${encodeURIComponent(older)}`, "node_modules/inmesh/dist/cli/inmesh.js", "--version"];
    expect(await bare.run(process.execPath, args)).toEqual({
      code: 1,
      stdout: "",
      stderr: `inmesh needs Node.js ${oldestNode} or later, and this is 20.20.2\n`,
    });
  });

  it("imports nothing of Node by a statement, which would end a program at a name that it lacks, and evaluate every export of the module", async () => {
    const code = tarball.paths.filter((path) => /^dist\/(?!cli\/).*\.js$/.test(path));
    expect(code.length).toBeGreaterThan(15);
    const texts = await Promise.all(code.map((path) => readFile(join(whole.directory, "node_modules/inmesh", path), "utf8")));
    expect(texts.flatMap((text) => text.match(/^import .*["']node:.*$/gm) ?? [])).toEqual([]);
    // The look sees the form that stands for them.
    expect(texts.join("\n")).toMatch(/^const \{ .*AsyncLocalStorage.* \} = process\.getBuiltinModule\("node:async_hooks"\);$/m);
  });
});

describe("the package in a bundle", () => {
  it("works without its files: calls, a dispatcher, suggestions, and OpenTelemetry that was registered before", async () => {
    const input = join(bare.directory, "bundled.mjs");
    const build = await rolldown({ input, platform: "node" });
    const away = await mkdtemp(join(tmpdir(), "inmesh-bundle-"));
    try {
      await build.write({ dir: away, format: "esm", entryFileNames: "[name].mjs" });
      const run = await promisify(execFile)(process.execPath, [join(away, "bundled.mjs")], { cwd: away });
      expect(run).toEqual({ stdout: "200 200 GET ERR_MESH_NO_ENDPOINTS true\n", stderr: "" });
    } finally {
      await build.close();
      await rm(away, { recursive: true, force: true });
    }
  });
});

describe("the types of the installed package", () => {
  const strict = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    noEmit: true,
    target: "es2022",
    types: ["node"],
  };
  const settings = {
    "as a Node program": { ...strict, module: "nodenext", lib: ["es2022"] },
    "for a bundler, beside the browser's types": { ...strict, module: "esnext", moduleResolution: "bundler", lib: ["es2022", "dom"] },
  };
  const compilers = { "TypeScript 7": "tsc", "TypeScript 6": "tsc6" };
  const cases = Object.entries(compilers).flatMap(([name, bin]) =>
    Object.entries(settings).map(([how, compilerOptions]) => ({ name, bin, how, compilerOptions })),
  );

  const check = async (bin: string, compilerOptions: object, files: Readonly<Record<string, string>>) => {
    const project = JSON.stringify({ compilerOptions, files: Object.keys(files) });
    // Without the optional peers: a type of theirs in our declarations would be an error of the user's.
    await using consumer = await install(tarball, ["@types/node"], {
      ...files,
      "package.json": programs["package.json"],
      "tsconfig.json": project,
    });
    return await consumer.run(
      process.execPath,
      [join(root, "node_modules/.bin", bin), "-p", "tsconfig.json", "--pretty", "false"],
      compilerTimeoutMs,
    );
  };

  it.each(cases)(
    "satisfy $name, strict and with every declaration checked, $how",
    async ({ bin, compilerOptions }) => {
      const files = compilerOptions.module === "nodenext" ? { "a.ts": tsProgram, "b.cts": ctsProgram } : { "a.ts": tsProgram };
      expect(await check(bin, compilerOptions, files)).toEqual({ code: 0, stdout: "", stderr: "" });
    },
    2 * compilerTimeoutMs,
  );

  it.each(Object.entries(compilers))(
    "show mistakes in %s",
    async (_name, bin) => {
      const { stdout } = await check(bin, settings["as a Node program"], { "a.ts": wrongProgram });
      const lines = new Set([...stdout.matchAll(/^a\.ts\((\d+),/gm)].map(([, line]) => Number(line)));
      expect([...lines]).toEqual([5, 6, 7, 8, 9, 10]);
    },
    2 * compilerTimeoutMs,
  );
});

describe("the tarball", () => {
  it("holds the build and what a reader of it needs, nothing else", () => {
    const others = tarball.paths.filter((path) => !/^(dist|observability\/otlp\/dashboards|docs|examples\/getting-started)\//.test(path));
    expect(others.sort()).toEqual([
      "CHANGELOG.md",
      "CONTRIBUTING.md",
      "LICENSE",
      "README.md",
      "SECURITY.md",
      "config.schema.json",
      "package.json",
    ]);
    const docs = tarball.paths.filter((path) => path.startsWith("docs/"));
    expect(docs).toContain("docs/observability/runbooks.md");
    expect(docs.filter((path) => !/\.md$|\.svg$|^docs\/images\//.test(path))).toEqual([]);
    expect(tarball.paths.filter((path) => path.endsWith(".map"))).toEqual([]);
  });

  it("holds the declarations that its entries lead to, a file of code for each entry, and no remains of others", async () => {
    const built = (ending: string) =>
      // Of the command line and the live page nothing is imported: they have no declarations, and are tried as programs.
      tarball.paths
        .filter((path) => path.startsWith("dist/") && !/^dist\/(cli|admin\/page)\//.test(path) && path.endsWith(ending))
        .map((path) => path.slice(0, -ending.length));
    const { exports } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { exports: Record<string, string> };
    const entries = Object.values(exports).flatMap((path) => /^\.\/(dist\/.+)\.js$/.exec(path)?.[1] ?? []);
    const reached = new Set<string>();
    const visit = async (path: string): Promise<void> => {
      if (reached.has(path)) return;
      reached.add(path);
      const text = await readFile(join(root, `${path}.d.ts`), "utf8");
      for (const [, specifier = ""] of text.matchAll(/(?:from |import\()"(\.[^"]+)\.ts"/g)) await visit(join(dirname(path), specifier));
    };
    for (const entry of entries) await visit(entry);
    expect(reached.size).toBeGreaterThan(100);
    expect(built(".d.ts").sort()).toEqual([...reached].sort());
    const shared = [
      "dist/chunks/client",
      "dist/chunks/configuration",
      "dist/chunks/rules",
      "dist/chunks/mesh",
      "dist/chunks/protocol",
      "dist/chunks/require-node",
      "dist/chunks/seams",
      "dist/chunks/serving",
    ];
    expect(built(".js").sort()).toEqual([...entries, ...shared].sort());
  });

  it("exports by each entry the names that its source exports", async () => {
    const { exports } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { exports: Record<string, string> };
    const entries = Object.values(exports).filter((path) => path.endsWith(".js"));
    expect(entries.length).toBeGreaterThan(10);
    for (const path of entries) {
      const source = path.replace("./dist/", "src/").replace(/\.js$/, ".ts");
      const [built, written] = await Promise.all([import(join(root, path)), import(join(root, source))]);
      expect({ path, names: Object.keys(built as object).sort() }).toEqual({ path, names: Object.keys(written as object).sort() });
    }
  });

  it("holds the command line as it is run and the live page within its entry", () => {
    expect(tarball.paths.filter((path) => path.startsWith("dist/admin/page/"))).toEqual([]);
    expect(tarball.paths.filter((path) => path.startsWith("dist/cli/") && !path.endsWith(".js"))).toEqual([]);
  });

  it("imports no package but those that package.json names", async () => {
    const { dependencies, peerDependencies } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
    const known = new Set(["inmesh", ...Object.keys({ ...dependencies, ...peerDependencies })]);
    const found = new Set<string>();
    for (const path of tarball.paths.filter((each) => /^dist\/.*\.c?js$/.test(each))) {
      const text = await readFile(join(whole.directory, "node_modules/inmesh", path), "utf8");
      for (const [, name = ""] of text.matchAll(/\b(?:from|import|require)\s*\(?\s*"((?:@[\w.-]+\/)?[a-z][\w.-]*)(?:\/[^"]*)?"/g))
        found.add(name);
    }
    expect([...found].filter((name) => !known.has(name))).toEqual([]);
    // The look sees what is there.
    expect([...found]).toEqual(expect.arrayContaining(["inmesh", "p-retry", "undici", "opossum"]));
  });

  it("holds a loader for each package that is loaded by CommonJS", () => {
    const loaders = tarball.paths.filter((path) => /\.cjs$/.test(path) && path.startsWith("dist/"));
    // Those of the packages that every client needs are in one file.
    const names = ["client-package", "consul-package", "eureka-package", "grpc-package", "jose-package", "of-every-client", "yaml-package"];
    expect(loaders.sort()).toEqual(names.map((name) => `dist/packages/${name}.cjs`));
  });

  it("has every file and heading that a link of its pages leads to", async () => {
    const installed = join(whole.directory, "node_modules/inmesh");
    const paths = tarball.paths.filter((path) => path.endsWith(".md"));
    expect(paths.length).toBeGreaterThan(60);
    const pages = new Map<string, Page>();
    for (const path of paths) pages.set(path, readPage(await readFile(join(installed, path), "utf8")));
    const isPacked = (goal: string) => tarball.paths.some((path) => path === goal || path.startsWith(`${goal}/`));
    expect(brokenLinksOf(pages, isPacked)).toEqual([]);
  });

  it("has a program that can be run by its name", async () => {
    const { bin } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { bin: Readonly<Record<string, string>> };
    expect(Object.keys(bin)).toEqual(["inmesh"]);
    for (const path of Object.values(bin)) {
      const file = join(whole.directory, "node_modules/inmesh", path);
      expect((await stat(file)).mode & 0o111).toBe(0o111);
      expect((await readFile(file, "utf8")).startsWith("#!/usr/bin/env node\n")).toBe(true);
    }
  });

  it("names no directory of the machine it was built on", async () => {
    const places = [root, homedir(), tmpdir()].filter((place) => place.length > 5);
    const installed = join(whole.directory, "node_modules/inmesh");
    const guilty: string[] = [];
    for (const path of await readdir(installed, { recursive: true, encoding: "utf8" })) {
      const text = await readFile(join(installed, path), "utf8").catch(() => "");
      if (places.some((place) => text.includes(place))) guilty.push(path);
    }
    expect(guilty).toEqual([]);
  });

  it(`is not larger than ${maxTarballSize} bytes`, () => {
    expect(tarball.size).toBeLessThan(maxTarballSize);
  });

  it("asks for the Node that its entries ask for, which is not newer than the oldest one it was tried on", async () => {
    const { engines } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { engines: { node: string } };
    expect(`${engines.node}.0`).toBe(`>=${oldestNode}`);
    const [, major, minor] = /^>=(\d+)\.(\d+)(\.0)?$/.exec(engines.node) ?? [];
    const [oldestMajor, oldestMinor] = (nodes[0]?.version ?? "").split(".");
    expect(major).toBe(oldestMajor);
    expect(Number(minor)).toBeLessThanOrEqual(Number(oldestMinor));
  });
});
