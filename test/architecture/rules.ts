import { posix } from "node:path";
import { cyclesOf } from "./cycles.ts";
import { type Import, type ModuleFacts, maxFunctionLines, packageOf, readModule } from "./imports.ts";
import { mayImport, roomOf, rooms } from "./rooms.ts";

/** Where a package may be imported: a file, or a folder when it ends with a slash. A package that is not in here, nowhere. */
export const packages: ReadonlyMap<string, readonly string[]> = new Map([
  ["undici", ["wire/undici/"]],
  ["fastest-levenshtein", ["suggestions/"]],
  ["opossum", ["circuit/opossum/"]],
  ["p-retry", ["policies/retry/p-retry/"]],
  ["dns-packet", ["discovery/dns/"]],
  ["yaml", ["discovery/file/", "assets/", "documents/"]],
  ["re2js", ["patterns/"]],
  ["semver", ["routing/matching/"]],
  ["@opentelemetry/api", ["telemetry/"]],
  ["@prometheus-io/client", ["telemetry/prometheus/", "telemetry/prometheus.ts"]],
  ["consul", ["registries/consul/", "registries/consul.ts"]],
  ["jose", ["authentication/"]],
  ["eureka-js-client", ["registries/eureka/", "registries/eureka.ts"]],
  ["@grpc/grpc-js", ["grpc/", "identity/spiffe/streams/"]],
  ["@connectrpc/connect", ["connect/"]],
  ["@bufbuild/protobuf", ["cli/rpc/", "connect/", "identity/spiffe/messages/", "identity/spiffe/packages.ts", "identity/spiffe/protos/"]],
]);

/** Packages that the build puts into the files of the live page: an installation does not need them. */
export const bundledPackages: ReadonlyMap<string, readonly string[]> = new Map([["uplot", ["admin/page/"]]]);

/** The packages that some file may import. */
export const knownPackages: ReadonlySet<string> = new Set(packages.keys());

/** Modules of Node's that reach nothing outside of the process. */
const withoutInputOrOutput: ReadonlySet<string> = new Set(["node:async_hooks", "node:buffer"]);
/** Files of core that take from another module of Node's only what parses: `isIP` and `BlockList` open no socket. */
const parsersOnly: ReadonlySet<string> = new Set(["core/peers/address-list.ts", "core/peers/address-policy.ts"]);

/** The ledger of attempts; and the test kit, which stands in for it. */
const writersOfStatistics = ["attempts/attempt-ledger.ts", "testing/"];
/** A folder with more files is searched, not read. */
const maxFilesInRoom = 20;
/** Above it there is a second idea in the file. */
const maxLines = 300;
const vagueName = /(^|[-.])(util|utils|utility|utilities|helper|helpers|manager|managers|impl|impls|common|misc)([-.]|$)/;

/**
 * Everything in a source tree that breaks the rules, one sentence each, beginning with `path:line`.
 * @param sources text by path relative to `src`, such as `core/clock.ts`
 */
export function violationsOf(sources: ReadonlyMap<string, string>): readonly string[] {
  const violations: string[] = [];
  const edges = new Map<string, string[]>();
  for (const [path, text] of sources) {
    const facts = readModule(path, text, knownPackages);
    for (const sentence of habitsBrokenBy(path, facts)) violations.push(`${path}: ${sentence}`);
    for (const { name, line, lines } of facts.longFunctions)
      violations.push(`${path}:${line}: ${name} has ${lines} lines, at most ${maxFunctionLines} without a comment that gives the reason`);
    const statistics = /import [^;]*\bstatisticsOf\b/.exec(text);
    if (statistics !== null && !writersOfStatistics.some((place) => path.startsWith(place)))
      violations.push(`${path}: an upstream's statistics are written in ${writersOfStatistics.join(" and ")} only`);
    const targets: string[] = [];
    edges.set(path, targets);
    for (const each of facts.imports) {
      const sentence = objectionTo(path, each, sources);
      if (sentence !== undefined) violations.push(`${path}:${each.line}: ${sentence}`);
      if (each.specifier?.startsWith(".")) targets.push(resolved(path, each.specifier));
    }
  }
  for (const [room, files] of filesByRoom(sources))
    if (files > maxFilesInRoom) violations.push(`${room}: ${files} files, at most ${maxFilesInRoom}: it is several rooms`);
  for (const cycle of cyclesOf(edges)) violations.push(`${cycle[0]}: imports itself: ${[...cycle, cycle[0]].join(" → ")}`);
  return violations;
}

function* habitsBrokenBy(path: string, { lines, hasDefaultExport, isTableOfContents }: ModuleFacts): Generator<string> {
  const name = posix.basename(path);
  // A loader of a package is CommonJS: NAME-package.cjs, and its declaration.
  // Generated code is named by its generator.
  if (!/^[a-z0-9]+(-[a-z0-9]+)*((_pb)?\.ts|-package\.(cjs|d\.cts))$/.test(name)) yield "file names are in kebab-case and end in .ts";
  if (path.split("/").some((part) => vagueName.test(part))) yield "a name that says nothing about what is in it";
  else if (!rooms.has(roomOf(path))) yield `"${roomOf(path)}" is no room`;
  if (lines > maxLines) yield `${lines} lines, at most ${maxLines}`;
  if (hasDefaultExport) yield "has a default export";
  if ((path === "index.ts" || path === "extend.ts") && !isTableOfContents)
    yield "is a table of contents: it re-exports and does nothing else";
}

function objectionTo(path: string, { specifier, isTypeOnly }: Import, sources: ReadonlyMap<string, string>): string | undefined {
  const room = roomOf(path);
  if (specifier === undefined) return "imports something that is computed and cannot be checked";
  // A type does nothing.
  if (specifier.startsWith("node:"))
    return isCore(room) && !isTypeOnly && !withoutInputOrOutput.has(specifier) && !parsersOnly.has(path)
      ? `"core" does no I/O, but imports ${specifier}`
      : undefined;
  if (!specifier.startsWith(".")) {
    const places = packages.get(packageOf(specifier)) ?? bundledPackages.get(packageOf(specifier));
    if (places === undefined) return `${packageOf(specifier)} has no place in the table of packages`;
    if (places.some((place) => (place.endsWith("/") ? path.startsWith(place) : path === place))) return undefined;
    return `${packageOf(specifier)} is imported only in ${places.join(", ")}`;
  }
  const target = resolved(path, specifier);
  if (!sources.has(target)) return `${specifier} is no file in src`;
  const targetRoom = roomOf(target);
  if (mayImport(room, targetRoom)) return undefined;
  const allowed = rooms.get(room) ?? [];
  return `"${room}" imports "${targetRoom}", but only ${allowed.length === 0 ? "itself" : allowed.map((each) => `"${each}"`).join(", ")}`;
}

function resolved(path: string, specifier: string): string {
  return posix.join(posix.dirname(path), specifier);
}

function isCore(room: string): boolean {
  return room === "core" || room.startsWith("core/");
}

function filesByRoom(sources: ReadonlyMap<string, string>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const path of sources.keys()) counts.set(roomOf(path), (counts.get(roomOf(path)) ?? 0) + 1);
  return counts;
}
