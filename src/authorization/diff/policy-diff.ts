import { CompiledPolicy } from "../compiled-policy.ts";
import type { Policy, PolicyRule } from "../policy.ts";
import { addressDimension } from "./addresses.ts";
import { identityDimension, methodDimension } from "./callers.ts";
import { Asker, askedOf, type Dimension, type ExampleRequest, plainRequest, type RequestClass } from "./dimension.ts";
import { headerDimensions } from "./headers.ts";
import { pathDimension } from "./paths.ts";
import { timeDimension } from "./times.ts";
import { tokenDimension } from "./tokens.ts";

/** The fate of a request by a policy. */
export type Outcome = "allowed" | "denied" | "dry-run-denied";

/** An outcome, with the rule that decides; `undefined` where none does. */
export interface Ruling {
  readonly decision: Outcome;
  readonly rule: string | undefined;
}

/** Requests that two policies decide differently, with one of them. */
export interface Difference {
  readonly example: ExampleRequest;
  readonly old: Ruling;
  readonly new: Ruling;
  /** The classes of requests that are meant, by kind; a kind that is absent does not matter. */
  readonly where: Readonly<Record<string, readonly string[]>>;
  /** Whether the example is one of them. A text that a regular expression is supposed to match, or not to, may not exist. */
  readonly isCertain: boolean;
}

/** A part of all requests: where both policies have decided, or the classes of one kind and what follows each. */
type Node = { readonly id: number } & (
  | { readonly old: Outcome; readonly new: Outcome }
  | { readonly dimension: Dimension; readonly branches: readonly Branch[] }
);

interface Branch {
  readonly classes: readonly RequestClass[];
  readonly next: Node;
}

/** Parts that are looked at, and questions that are asked of rules. */
const maxParts = 100_000;
const maxQuestions = 50_000_000;

/**
 * All requests that two policies decide differently, by enumeration: of each kind of condition the classes that the rules tell apart, with one that no rule
 * names, one kind after the other. After each kind only the rules that still may match go on, and parts with the same rules are one.
 */
export class PolicyDiff {
  /** Why not everything has been looked at; empty where the enumeration is complete. */
  readonly cuts: ReadonlySet<string>;
  /** Number of classes that differ. */
  readonly count: number;
  readonly #policies: { readonly old: Policy; readonly new: Policy };
  /** Rules of both that decide, each once, without their ids. */
  readonly #rules: PolicyRule[] = [];
  readonly #inOld: boolean[] = [];
  readonly #inNew: boolean[] = [];
  readonly #dimensions: readonly Dimension[];
  readonly #askers: ReadonlyMap<Dimension, Asker>;
  /** The last kind of which a rule has conditions. */
  readonly #last: readonly number[];
  readonly #parts = new Map<string, Node>();
  readonly #nodes = new Map<string, Node>();
  readonly #cuts = new Set<string>();
  /** Classes that differ below each node. */
  readonly #counts = new Map<Node, number>();
  readonly #root: Node;
  #questions = 0;

  constructor(old: Policy, now: Policy) {
    this.#policies = { old, new: now };
    this.#takeRules();
    const rules = this.#rules;
    this.#dimensions = [
      identityDimension(rules),
      methodDimension(rules),
      pathDimension(rules),
      addressDimension(rules),
      tokenDimension(rules),
      ...headerDimensions(rules),
      timeDimension(rules),
    ];
    this.#askers = new Map(this.#dimensions.map((each) => [each, new Asker(each.partOf)]));
    this.#last = rules.map((rule) => this.#dimensions.findLastIndex(({ partOf }) => partOf(rule) !== undefined));
    this.#root = this.#explore(
      0,
      rules.map((_, index) => index),
    );
    this.cuts = this.#cuts;
    this.count = countOf(this.#root, this.#counts);
  }

  /** At most `limit` of them, those with an example that is certain first. */
  differences(limit: number): readonly Difference[] {
    const found: Difference[] = [];
    const compiled = { old: new CompiledPolicy(this.#policies.old), new: new CompiledPolicy(this.#policies.new) };
    const rulingOf = (which: "old" | "new", example: ExampleRequest): Ruling => {
      const { request, caller } = askedOf(example);
      const { allowed, ruleId } = compiled[which].decide(request, caller, example.atMs);
      return { decision: outcomeOf(this.#policies[which], allowed), rule: ruleId };
    };
    const walk = (node: Node, path: readonly (readonly [Dimension, Branch])[]): void => {
      // Some more than are shown, among which there may be better ones; nothing where both decide alike.
      if (found.length >= 4 * limit || countOf(node, this.#counts) === 0) return;
      if ("branches" in node) {
        for (const branch of node.branches) walk(branch.next, [...path, [node.dimension, branch]]);
        return;
      }
      if (node.old === node.new) return;
      const chosen = path.map(([, { classes }]) => classes.find(({ isCertain }) => isCertain) ?? (classes[0] as RequestClass));
      const example = exampleOf(chosen);
      const isCertain = chosen.every((each) => each.isCertain);
      found.push({
        example,
        old: isCertain ? rulingOf("old", example) : { decision: node.old, rule: undefined },
        new: isCertain ? rulingOf("new", example) : { decision: node.new, rule: undefined },
        where: Object.fromEntries(path.map(([{ name }, { classes }]) => [name, classes.map(({ label }) => label)])),
        isCertain,
      });
    };
    walk(this.#root, []);
    return [...found.filter(({ isCertain }) => isCertain), ...found.filter(({ isCertain }) => !isCertain)].slice(0, limit);
  }

  /** The decisions that the enumeration has for a request; `undefined` where it has no class for it. */
  find(asked: ExampleRequest): { readonly old: Outcome; readonly new: Outcome } | undefined {
    let alive: readonly number[] = this.#rules.map((_, index) => index);
    for (const [depth, dimension] of this.#dimensions.entries()) {
      const part = this.#parts.get(`${depth} ${alive.join()}`);
      if (part === undefined) return undefined;
      if (!("branches" in part)) return part;
      alive = alive.filter((index) => this.#askers.get(dimension)?.holds(this.#rules[index] as PolicyRule, asked) === true);
    }
    const part = this.#parts.get(`${this.#dimensions.length} ${alive.join()}`);
    return part === undefined || "branches" in part ? undefined : part;
  }

  #takeRules(): void {
    const places = new Map<string, number>();
    for (const which of ["old", "new"] as const) {
      for (const rule of this.#policies[which].rules) {
        if (rule.action === "audit") continue;
        const key = JSON.stringify({ ...rule, id: "" });
        const place = places.get(key) ?? this.#rules.push(rule) - 1;
        places.set(key, place);
        (which === "old" ? this.#inOld : this.#inNew)[place] = true;
      }
    }
  }

  /** `alive`: the rules whose conditions of all kinds before `depth` hold. */
  #explore(depth: number, alive: readonly number[]): Node {
    const key = `${depth} ${alive.join()}`;
    const known = this.#parts.get(key);
    if (known !== undefined) return known;
    const made = this.#settled(depth, alive) ?? this.#split(depth, alive);
    this.#parts.set(key, made);
    return made;
  }

  /** The decisions of both policies where they are clear already. */
  #settled(depth: number, alive: readonly number[]): Node | undefined {
    const { old, new: now } = this.#policies;
    const isDry = old.dryRun === true;
    if (isDry === (now.dryRun === true) && alive.every((index) => this.#inOld[index] === this.#inNew[index]))
      return this.#leaf("denied", "denied");
    const [before, after] = [this.#decided(depth, alive, this.#inOld), this.#decided(depth, alive, this.#inNew)];
    if (before === undefined || after === undefined) return undefined;
    return this.#leaf(outcomeOf(old, before), outcomeOf(now, after));
  }

  #decided(depth: number, alive: readonly number[], isIn: readonly boolean[]): boolean | undefined {
    let hasDeny = false;
    let hasAllow = false;
    let allows = false;
    for (const index of alive) {
      if (isIn[index] !== true) continue;
      const isSure = (this.#last[index] as number) < depth;
      const isDeny = this.#rules[index]?.action === "deny";
      if (isDeny && isSure) return false;
      if (isDeny) hasDeny = true;
      else hasAllow = true;
      allows ||= !isDeny && isSure;
    }
    if (!hasAllow) return false;
    return allows && !hasDeny ? true : undefined;
  }

  #split(depth: number, alive: readonly number[]): Node {
    const rules = this.#rules;
    const dimension = this.#dimensions[depth] as Dimension;
    if (!alive.some((index) => dimension.partOf(rules[index] as PolicyRule) !== undefined)) return this.#explore(depth + 1, alive);
    const classes = dimension.classesFor(
      alive.map((index) => rules[index] as PolicyRule),
      (reason) => void this.#cuts.add(reason),
    );
    const groups = new Map<string, { readonly classes: RequestClass[]; readonly alive: readonly number[] }>();
    for (const each of classes) {
      this.#questions += alive.length;
      if (this.#questions > maxQuestions || this.#parts.size > maxParts) {
        this.#cuts.add("there are too many classes of requests; the rest is not looked at");
        break;
      }
      const rest = alive.filter((index) => each.holds(rules[index] as PolicyRule));
      const group = groups.get(rest.join());
      if (group === undefined) groups.set(rest.join(), { classes: [each], alive: rest });
      else group.classes.push(each);
    }
    const branches = new Map<Node, RequestClass[]>();
    for (const group of groups.values()) {
      const next = this.#explore(depth + 1, group.alive);
      const known = branches.get(next);
      if (known === undefined) branches.set(next, group.classes);
      else known.push(...group.classes);
    }
    return this.#node(dimension, [...branches]);
  }

  /** One node for all parts that are alike; what follows alone is the node itself. */
  #node(dimension: Dimension, branches: readonly (readonly [Node, readonly RequestClass[]])[]): Node {
    const [first] = branches;
    if (first === undefined) return this.#leaf("denied", "denied");
    if (branches.length === 1) return first[0];
    const key = `${dimension.name} ${JSON.stringify(branches.map(([next, classes]) => [next.id, classes.map(({ label }) => label)]))}`;
    const known = this.#nodes.get(key);
    if (known !== undefined) return known;
    const made: Node = { id: this.#nodes.size, dimension, branches: branches.map(([next, classes]) => ({ next, classes })) };
    this.#nodes.set(key, made);
    return made;
  }

  #leaf(old: Outcome, now: Outcome): Node {
    const [before, after] = old === now ? (["denied", "denied"] as const) : [old, now];
    const key = `${before} ${after}`;
    const made = this.#nodes.get(key) ?? { id: this.#nodes.size, old: before, new: after };
    this.#nodes.set(key, made);
    return made;
  }
}

function exampleOf(chosen: readonly RequestClass[]): ExampleRequest {
  const headers = Object.fromEntries(chosen.flatMap(({ part }) => Object.entries(part.headers ?? {})));
  return Object.assign({}, plainRequest, ...chosen.map(({ part }) => part), { headers });
}

function outcomeOf({ dryRun = false }: Policy, allowed: boolean): Outcome {
  return allowed ? "allowed" : dryRun ? "dry-run-denied" : "denied";
}

function countOf(node: Node, known: Map<Node, number>): number {
  if (!("branches" in node)) return node.old === node.new ? 0 : 1;
  const found = known.get(node) ?? node.branches.reduce((sum, { next }) => sum + countOf(next, known), 0);
  known.set(node, found);
  return found;
}
