import type { TextMatch } from "../../routing/route-match.ts";
import { type Directive, faultOf } from "../grammar/directive.ts";
import { linearPattern, wholePattern } from "./regex.ts";
import { hasVariable } from "./variables.ts";

/** A variable that depends on another one: `map $http_x $y { a 1; default 2; }`. */
export interface MapSpec {
  readonly source: string;
  /** In the order in which the first that matches decides. */
  readonly entries: readonly { readonly test: TextMatch; readonly value: string }[];
  readonly fallback: string;
  readonly directive: Directive;
}

/** A variable with values by share: `split_clients $remote_addr $y { 10% a; * b; }`. */
export interface SplitSpec {
  readonly key: string;
  /** In hundredths of a percent. */
  readonly shares: readonly { readonly value: string; readonly weight: number }[];
  readonly directive: Directive;
}

const maxEntries = 10_000;

/** Reads the `map` blocks, by the names of their variables. */
export function mapsOf(directives: readonly Directive[]): ReadonlyMap<string, MapSpec> {
  return new Map(directives.map((directive) => mapOf(directive)));
}

function mapOf(directive: Directive): readonly [string, MapSpec] {
  const [source, name] = variableNames(directive);
  const exact: MapSpec["entries"][number][] = [];
  const patterns: MapSpec["entries"][number][] = [];
  let fallback = "";
  for (const entry of directive.block ?? []) {
    const value = entry.args[0]?.text;
    if (entry.name === "volatile") continue;
    if (entry.name === "hostnames" || entry.name === "include") throw faultOf(directive, `${entry.name} is not supported`, entry.place);
    if (value === undefined || entry.args.length > 1) throw faultOf(directive, "each line has a value and what it becomes", entry.place);
    if (entry.name === "default") fallback = value;
    else if (entry.name.startsWith("~")) {
      const ignoreCase = entry.name.startsWith("~*");
      const pattern = wholePattern(linearPattern(directive, entry.name.slice(ignoreCase ? 2 : 1), entry.place));
      patterns.push({ test: { pattern, ...(ignoreCase ? { ignoreCase } : {}) }, value });
    } else exact.push({ test: { exact: entry.name.replace(/^\\/, ""), ignoreCase: true }, value });
    if (exact.length + patterns.length > maxEntries) throw faultOf(directive, `it has more than ${maxEntries} lines`);
  }
  return [name, { source, entries: [...exact, ...patterns], fallback, directive }];
}

/** Reads the `split_clients` blocks, by the names of their variables. */
export function splitsOf(directives: readonly Directive[]): ReadonlyMap<string, SplitSpec> {
  return new Map(directives.map((directive) => splitOf(directive)));
}

function splitOf(directive: Directive): readonly [string, SplitSpec] {
  const name = /^\$(\w+)$/.exec(directive.args[1]?.text ?? "")?.[1];
  const key = directive.args[0]?.text;
  if (name === undefined || key === undefined || directive.args.length > 2) throw faultOf(directive, "it takes a text and a variable");
  const shares: { value: string; weight: number }[] = [];
  let left = 10_000;
  for (const { name: share, args, place } of directive.block ?? []) {
    const [, whole, part = ""] = /^(\d{1,3})(?:\.(\d{1,2}))?%$/.exec(share) ?? [];
    const weight = share === "*" ? left : whole === undefined ? 0 : Number(whole) * 100 + Number(part.padEnd(2, "0"));
    const [value] = args;
    if (weight <= 0 || value === undefined || args.length > 1)
      throw faultOf(directive, "each line has a share, such as 10%, and a value; the last one may have *", place);
    left -= weight;
    if (left < 0) throw faultOf(directive, "the shares are more than 100% together", place);
    shares.push({ value: value.text, weight });
  }
  // Of the rest the variable is empty.
  if (left > 0) shares.push({ value: "", weight: left });
  return [name, { key, shares, directive }];
}

function variableNames(directive: Directive): readonly [source: string, name: string] {
  const [source, name, more] = directive.args.map(({ text }) => /^\$\{?(\w+)\}?$/.exec(text)?.[1]);
  if (name === undefined || more !== undefined || directive.args.length !== 2)
    throw faultOf(directive, "it takes two variables: map $http_x $y");
  if (source === undefined)
    throw faultOf(
      directive,
      hasVariable(directive.args[0]?.text ?? "") ? "a text of several variables is not supported" : "it takes two variables",
    );
  return [source, name];
}
