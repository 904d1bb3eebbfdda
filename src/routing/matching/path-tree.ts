import { type EntryVisitor, MethodBucket } from "./method-bucket.ts";
import type { PathPlace } from "./path-place.ts";

/** A table has as many nodes as paths: they hold nothing that they do not need, so that a table of many is found in the memory that is near. */
class TreeNode<Entry> {
  children: Map<string, TreeNode<Entry>> | undefined = undefined;
  /** Below a segment in braces. */
  any: TreeNode<Entry> | undefined = undefined;
  here: MethodBucket<Entry> | undefined = undefined;
  below: MethodBucket<Entry> | undefined = undefined;
  within: MethodBucket<Entry> | undefined = undefined;
  /** By the beginning of the next segment. */
  begins: Beginnings<Entry> | undefined = undefined;
}

interface Beginnings<Entry> {
  readonly buckets: Map<string, MethodBucket<Entry>>;
  /** The lengths of the beginnings. */
  readonly lengths: number[];
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
    for (const segment of segments) node = childOf(node, segment);
    bucketOf(node, ends, rest).add(entry, methods);
  }

  /** Tells of the entries that may match. `path` has no query. */
  find(method: string, path: string, visitor: EntryVisitor<Entry>): void {
    if (this.#size > 0) descend(this.#root, path, 1, method, visitor);
  }
}

function childOf<Entry>(node: TreeNode<Entry>, segment: string | undefined): TreeNode<Entry> {
  if (segment === undefined) {
    node.any ??= new TreeNode();
    return node.any;
  }
  node.children ??= new Map();
  const known = node.children.get(segment);
  if (known !== undefined) return known;
  const child = new TreeNode<Entry>();
  node.children.set(segment, child);
  return child;
}

function bucketOf<Entry>(node: TreeNode<Entry>, ends: PathPlace["ends"], rest: string): MethodBucket<Entry> {
  if (ends !== "begins") {
    const bucket = node[ends] ?? new MethodBucket<Entry>();
    node[ends] = bucket;
    return bucket;
  }
  node.begins ??= { buckets: new Map(), lengths: [] };
  const { buckets, lengths } = node.begins;
  const bucket = buckets.get(rest) ?? new MethodBucket<Entry>();
  buckets.set(rest, bucket);
  if (!lengths.includes(rest.length)) lengths.push(rest.length);
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
  if (node.begins !== undefined) tellBeginnings(node.begins, path, from, method, visitor);
  const { children, any } = node;
  if (any === undefined && children === undefined) return;
  const slash = path.indexOf("/", from);
  const end = slash === -1 ? path.length : slash;
  const child = children?.get(path.slice(from, end));
  if (child !== undefined) descend(child, path, end + 1, method, visitor);
  if (any !== undefined && end > from) descend(any, path, end + 1, method, visitor);
}

function tellBeginnings<Entry>(
  { buckets, lengths }: Beginnings<Entry>,
  path: string,
  from: number,
  method: string,
  visitor: EntryVisitor<Entry>,
): void {
  for (const length of lengths) {
    // A beginning has no slash: what is cut off behind the segment is no key.
    if (from + length <= path.length) buckets.get(path.slice(from, from + length))?.tell(method, visitor);
  }
}
