import { posix } from "node:path";
import { cyclesOf } from "./cycles.ts";
import { type Import, type ModuleFacts, packageOf, readModule } from "./imports.ts";

const inner = ["core", "discovery", "balancer", "policies", "routing", "security", "telemetry"];

/** Which rooms the files of a room may import beside their own. A room that is not in here does not exist. */
const rooms: ReadonlyMap<string, readonly string[]> = new Map([
  ["core", []],
  ["discovery", ["core"]],
  ["balancer", ["core"]],
  ["policies", ["core"]],
  ["routing", ["core"]],
  ["security", ["core"]],
  ["telemetry", ["core"]],
  ["assets", ["core", "telemetry"]],
  ["registries", ["core", "discovery"]],
  ["grpc", ["core", "discovery"]],
  ["server", ["core", "security"]],
  ["client", inner],
  ["index", [...inner, "client"]],
  ["testing", [...inner, "client"]],
  ["admin", [...inner, "client"]],
  ["cli", ["index", ...inner, "client", "registries", "grpc", "server", "testing", "admin", "assets"]],
]);

/** Where a package may be imported: a file, or a folder when it ends with a slash. A package that is not in here, nowhere. */
const packages: ReadonlyMap<string, readonly string[]> = new Map([
  ["undici", ["client/pools.ts", "client/dispatcher.ts"]],
  ["fastest-levenshtein", ["client/", "cli/nearest-word.ts"]],
  ["opossum", ["policies/"]],
  ["p-retry", ["policies/"]],
  ["dns-packet", ["discovery/dns/", "discovery/dns.ts"]],
  ["yaml", ["discovery/", "assets/"]],
  ["@opentelemetry/api", ["telemetry/"]],
  ["@prometheus-io/client", ["telemetry/prometheus/", "telemetry/prometheus.ts"]],
  ["consul", ["registries/consul/", "registries/consul.ts"]],
  ["eureka-js-client", ["registries/eureka/", "registries/eureka.ts"]],
]);

/** Packages that the build puts into the files of the live page: nobody who installs this one needs them. */
export const bundledPackages: ReadonlyMap<string, readonly string[]> = new Map([["uplot", ["admin/page/"]]]);

/** The packages that some file may import. */
export const knownPackages: ReadonlySet<string> = new Set(packages.keys());

/** Modules of Node's that reach nothing outside of the process. */
const withoutInputOrOutput: ReadonlySet<string> = new Set(["node:async_hooks"]);

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
    const targets: string[] = [];
    edges.set(path, targets);
    for (const each of facts.imports) {
      const sentence = objectionTo(path, each, sources);
      if (sentence !== undefined) violations.push(`${path}:${each.line}: ${sentence}`);
      if (each.specifier?.startsWith(".") && !each.isTypeOnly) targets.push(resolved(path, each.specifier));
    }
  }
  for (const cycle of cyclesOf(edges)) violations.push(`${cycle[0]}: imports itself: ${[...cycle, cycle[0]].join(" → ")}`);
  return violations;
}

function* habitsBrokenBy(path: string, { lines, hasDefaultExport, isTableOfContents }: ModuleFacts): Generator<string> {
  const name = posix.basename(path);
  if (!rooms.has(roomOf(path))) yield `"${roomOf(path)}" is no room`;
  if (!/^[a-z0-9]+(-[a-z0-9]+)*\.ts$/.test(name)) yield "file names are in kebab-case and end in .ts";
  if (path.split("/").some((part) => vagueName.test(part))) yield "a name that says nothing about what is in it";
  if (lines > maxLines) yield `${lines} lines, at most ${maxLines}`;
  if (hasDefaultExport) yield "has a default export";
  if (path === "index.ts" && !isTableOfContents) yield "is a table of contents: it re-exports and does nothing else";
}

function objectionTo(path: string, { specifier, isTypeOnly }: Import, sources: ReadonlyMap<string, string>): string | undefined {
  const room = roomOf(path);
  if (specifier === undefined) return "imports something that is computed and cannot be checked";
  // A type does nothing.
  if (specifier.startsWith("node:"))
    return room === "core" && !isTypeOnly && !withoutInputOrOutput.has(specifier)
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
  if (targetRoom === room) {
    const [vendor, targetVendor] = [vendorOf(path), vendorOf(target)];
    if (room === "registries" && vendor !== targetVendor) return `the adapter "${vendor}" imports the adapter "${targetVendor}"`;
    return undefined;
  }
  const allowed = rooms.get(room) ?? [];
  if (allowed.includes(targetRoom)) return undefined;
  return `"${room}" imports "${targetRoom}", but only ${allowed.length === 0 ? "itself" : allowed.map((each) => `"${each}"`).join(", ")}`;
}

function resolved(path: string, specifier: string): string {
  return posix.join(posix.dirname(path), specifier);
}

/** `core` of `core/clock.ts`, `index` of `index.ts`. */
function roomOf(path: string): string {
  const [first = ""] = path.split("/");
  return first.replace(/\.ts$/, "");
}

/** `consul` of `registries/consul.ts` and of `registries/consul/watch.ts`. */
function vendorOf(path: string): string {
  return (path.split("/")[1] ?? "").replace(/\.ts$/, "");
}
