import type { CompiledRule } from "./compiled-rule.ts";
import type { PathTemplate } from "./conditions/path-pattern.ts";

/** Rules of one place in the index, by method, each list in the order of ranks. */
export class RuleBucket {
  readonly #anyMethod: CompiledRule[] = [];
  readonly #byMethod = new Map<string, CompiledRule[]>();

  /** Rules come in the order of their ranks. */
  add(rule: CompiledRule, methods: readonly string[] | undefined): void {
    if (methods === undefined) this.#anyMethod.push(rule);
    for (const method of methods ?? []) {
      const list = this.#byMethod.get(method);
      if (list === undefined) this.#byMethod.set(method, [rule]);
      else list.push(rule);
    }
  }

  visit(method: string, visit: (rules: readonly CompiledRule[]) => void): void {
    if (this.#anyMethod.length > 0) visit(this.#anyMethod);
    const list = this.#byMethod.size === 0 ? undefined : this.#byMethod.get(method);
    if (list !== undefined) visit(list);
  }
}

interface TreeNode {
  readonly children: Map<string, TreeNode>;
  /** Below a segment in braces. */
  any: TreeNode | undefined;
  /** Rules of paths that end here, and of those that have all below it. */
  end: RuleBucket | undefined;
  below: RuleBucket | undefined;
}

/** Rules by the segments of their paths. */
export class PathTree {
  readonly #root: TreeNode = newNode();
  /** Rules without a path. */
  readonly #anyPath = new RuleBucket();

  add(rule: CompiledRule, methods: readonly string[] | undefined, template: PathTemplate | undefined): void {
    if (template === undefined) {
      this.#anyPath.add(rule, methods);
      return;
    }
    let node = this.#root;
    for (const segment of template.segments) {
      if (segment === undefined) {
        node.any ??= newNode();
        node = node.any;
      } else {
        const child = node.children.get(segment) ?? newNode();
        node.children.set(segment, child);
        node = child;
      }
    }
    if (template.withBelow) node.below ??= new RuleBucket();
    else node.end ??= new RuleBucket();
    (template.withBelow ? node.below : node.end)?.add(rule, methods);
  }

  /** Visits the lists of all rules that may match: methods and paths do, unless the rule has them as a condition. */
  visit(method: string, path: string, visit: (rules: readonly CompiledRule[]) => void): void {
    this.#anyPath.visit(method, visit);
    if (path.startsWith("/")) descend(this.#root, path, 1, method, visit);
  }
}

/** `from`: where the next segment begins; past the end of the path, none is left. */
function descend(node: TreeNode, path: string, from: number, method: string, visit: (rules: readonly CompiledRule[]) => void): void {
  node.below?.visit(method, visit);
  if (from > path.length) {
    node.end?.visit(method, visit);
    return;
  }
  if (node.any === undefined && node.children.size === 0) return;
  const slash = path.indexOf("/", from);
  const end = slash === -1 ? path.length : slash;
  const child = node.children.size === 0 ? undefined : node.children.get(path.slice(from, end));
  if (child !== undefined) descend(child, path, end + 1, method, visit);
  if (node.any !== undefined && end > from) descend(node.any, path, end + 1, method, visit);
}

function newNode(): TreeNode {
  return { children: new Map(), any: undefined, end: undefined, below: undefined };
}
