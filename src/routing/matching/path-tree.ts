import type { PathPlace } from "./path-place.ts";

/** Takes lists of entries, each in the order of their ranks. An entry may be in several. */
export interface EntryVisitor<Entry> {
  visit(entries: readonly Entry[]): void;
}

/** Entries of one place, by method, each list in the order in which they were added. */
class MethodBucket<Entry> {
  readonly #anyMethod: Entry[] = [];
  readonly #byMethod = new Map<string, Entry[]>();

  add(entry: Entry, methods: readonly string[] | undefined): void {
    if (methods === undefined) this.#anyMethod.push(entry);
    for (const method of methods ?? []) {
      const list = this.#byMethod.get(method);
      if (list === undefined) this.#byMethod.set(method, [entry]);
      else list.push(entry);
    }
  }

  tell(method: string, visitor: EntryVisitor<Entry>): void {
    if (this.#anyMethod.length > 0) visitor.visit(this.#anyMethod);
    const list = this.#byMethod.size === 0 ? undefined : this.#byMethod.get(method);
    if (list !== undefined) visitor.visit(list);
  }
}

class TreeNode<Entry> {
  readonly children = new Map<string, TreeNode<Entry>>();
  /** Below a segment in braces. */
  any: TreeNode<Entry> | undefined = undefined;
  here: MethodBucket<Entry> | undefined = undefined;
  below: MethodBucket<Entry> | undefined = undefined;
  within: MethodBucket<Entry> | undefined = undefined;
  /** By the beginning of the next segment. */
  readonly begins = new Map<string, MethodBucket<Entry>>();
  /** The lengths of those beginnings. */
  readonly lengths: number[] = [];
}

/** Entries by the segments of their paths: finds those that may match a path without looking at the others. */
export class PathTree<Entry> {
  readonly #root = new TreeNode<Entry>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Entries come in the order of their ranks. */
  add(entry: Entry, methods: readonly string[] | undefined, { segments, ends, rest }: Omit<PathPlace, "ignoreCase">): void {
    this.#size++;
    let node = this.#root;
    for (const segment of segments) {
      if (segment === undefined) {
        node.any ??= new TreeNode();
        node = node.any;
      } else {
        const child = node.children.get(segment) ?? new TreeNode<Entry>();
        node.children.set(segment, child);
        node = child;
      }
    }
    bucketOf(node, ends, rest).add(entry, methods);
  }

  /** Tells of the entries that may match. `path` has no query. */
  find(method: string, path: string, visitor: EntryVisitor<Entry>): void {
    if (this.#size > 0) descend(this.#root, path, 1, method, visitor);
  }
}

function bucketOf<Entry>(node: TreeNode<Entry>, ends: PathPlace["ends"], rest: string): MethodBucket<Entry> {
  if (ends !== "begins") {
    const bucket = node[ends] ?? new MethodBucket<Entry>();
    node[ends] = bucket;
    return bucket;
  }
  const bucket = node.begins.get(rest) ?? new MethodBucket<Entry>();
  node.begins.set(rest, bucket);
  if (!node.lengths.includes(rest.length)) node.lengths.push(rest.length);
  return bucket;
}

/** `from`: where the next segment begins; past the end of the path, none is left. */
function descend<Entry>(node: TreeNode<Entry>, path: string, from: number, method: string, visitor: EntryVisitor<Entry>): void {
  node.below?.tell(method, visitor);
  if (from > path.length) {
    node.here?.tell(method, visitor);
    return;
  }
  node.within?.tell(method, visitor);
  for (const length of node.lengths) {
    // A beginning has no slash: what is cut off behind the segment is no key.
    if (from + length <= path.length) node.begins.get(path.slice(from, from + length))?.tell(method, visitor);
  }
  if (node.any === undefined && node.children.size === 0) return;
  const slash = path.indexOf("/", from);
  const end = slash === -1 ? path.length : slash;
  const child = node.children.size === 0 ? undefined : node.children.get(path.slice(from, end));
  if (child !== undefined) descend(child, path, end + 1, method, visitor);
  if (node.any !== undefined && end > from) descend(node.any, path, end + 1, method, visitor);
}
