import type { Steps } from "../core/json/steps.ts";
import { CompiledRule } from "./compiled-rule.ts";
import { type PathTemplate, parsePathTemplate } from "./conditions/path-pattern.ts";
import { PathTree } from "./path-tree.ts";
import type { PolicyRule } from "./policy.ts";

/** Places in the index that one rule may take; of one that would take more, methods or identities are a condition of its own. */
const maxPlaces = 4_096;
/**
 * Those that all rules may take beyond one for each value that stands in them. A rule takes one for each combination of its identities, paths and methods, so a text of a
 * megabyte would take millions, and seconds.
 */
const maxCombined = 100_000;

/** Finds the rules that may match a request: by the identity of its caller, then by its path, then by its method. */
export class RuleIndex {
  /** Rules of one identity, and of all below a path. */
  readonly #exact = new Map<string, PathTree>();
  readonly #below = new Map<string, PathTree>();
  /** Rules of any identity, and of any caller. */
  readonly #identified = new PathTree();
  readonly #anyone = new PathTree();

  #combinedLeft = maxCombined;

  /** Adds rules, in the order of their ranks, one in each step. */
  *fill(rules: readonly PolicyRule[]): Steps {
    for (const [rank, rule] of rules.entries()) {
      this.#add(rule, rank);
      yield;
    }
  }

  #add(rule: PolicyRule, rank: number): void {
    const { identities, methods, paths } = { ...rule.from, ...rule.to };
    const hasRegex = paths?.some((path) => typeof path !== "string") === true;
    // Each one once: a list that names a path twice must not cost twice.
    const templates: readonly (PathTemplate | undefined)[] =
      paths === undefined || hasRegex ? [undefined] : [...new Set(paths as readonly string[])].map(parsePathTemplate);
    const callers = identities === undefined ? undefined : [...new Set(identities)];
    const verbs = methods === undefined ? undefined : [...new Set(methods)];
    const listed = templates.length + (callers?.length ?? 0) + (verbs?.length ?? 0);
    const most = Math.min(maxPlaces, listed + this.#combinedLeft);
    const byCaller = callers !== undefined && templates.length * callers.length <= most;
    const byMethod = verbs !== undefined && templates.length * (byCaller ? callers.length : 1) * verbs.length <= most;
    const places = templates.length * (byCaller ? callers.length : 1) * (byMethod ? verbs.length : 1);
    this.#combinedLeft -= Math.max(0, places - listed);
    const compiled = new CompiledRule(rule, rank, { identities: byCaller, methods: byMethod, paths: !hasRegex });
    for (const tree of byCaller ? callers.map((caller) => this.#treeOf(caller)) : [this.#anyone])
      for (const template of templates) tree.add(compiled, byMethod ? verbs : undefined, template);
  }

  #treeOf(identity: string): PathTree {
    if (identity === "*") return this.#identified;
    const trees = identity.endsWith("/") ? this.#below : this.#exact;
    const tree = trees.get(identity) ?? new PathTree();
    trees.set(identity, tree);
    return tree;
  }

  /** Visits lists of rules, each in the order of ranks. A rule may be visited more than once. */
  visit(identity: string | undefined, method: string, path: string, visit: (rules: readonly CompiledRule[]) => void): void {
    this.#anyone.visit(method, path, visit);
    if (identity === undefined) return;
    this.#identified.visit(method, path, visit);
    this.#exact.get(identity)?.visit(method, path, visit);
    if (this.#below.size === 0 || !identity.startsWith("spiffe://")) return;
    // One that ends in a slash is no id, and is below nothing but what comes before.
    for (let slash = identity.indexOf("/", 9); slash !== -1 && slash < identity.length - 1; slash = identity.indexOf("/", slash + 1))
      this.#below.get(identity.slice(0, slash + 1))?.visit(method, path, visit);
  }
}
