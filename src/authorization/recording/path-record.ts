/** Values of a segment, each with a digit, from which on they are one `{id}`: names of versions such as `v1` are not counted. */
const manyIds = 10;
/** Values of any kind, behind the first segment: what a service offers is seldom more than this. */
const manyWords = 100;
/** Segments that are kept apart. */
const maxNodes = 20_000;

interface Node {
  readonly children: Map<string, Node>;
  /** Values with a digit among them. */
  ids: number;
  /** Below the values that are one. */
  any: Node | undefined;
  /** Whether all values are one, not only those with a digit. */
  isWhole: boolean;
  readonly ends: Map<string, number>;
}

/** Paths by their segments, of which those that have many values become one, while they are recorded: ids take no memory without bound. */
export class PathRecord {
  readonly #root = newNode();
  #nodes = 0;

  /** Counts `key` at a path; `false` where there is no room for another one. */
  add(path: string, key: string): boolean {
    let node = this.#root;
    for (const segment of path.slice(1).split("/")) {
      const next = this.#step(node, segment);
      if (next === undefined) return false;
      node = next;
    }
    const count = node.ends.get(key);
    if (count === undefined && !this.#takeRoom()) return false;
    node.ends.set(key, (count ?? 0) + 1);
    return true;
  }

  /** Each path, in alphabetical order, with the counts at it. */
  *entries(): Generator<readonly [path: string, counts: ReadonlyMap<string, number>]> {
    yield* entriesOf(this.#root, "");
  }

  #step(node: Node, segment: string): Node | undefined {
    const known = node.children.get(segment);
    if (known !== undefined) return known;
    // An empty segment ends a path, and is no value of `{id}`.
    const isId = isIdentifier(segment);
    if (node.any !== undefined && segment !== "" && (node.isWhole || isId)) return node.any;
    if (!this.#takeRoom()) return undefined;
    const made = newNode();
    node.children.set(segment, made);
    if (isId) node.ids++;
    const values = node.children.size - (node.children.has("") ? 1 : 0);
    if (values > manyWords && node !== this.#root) node.isWhole = true;
    if (!node.isWhole && node.ids <= manyIds) return made;
    this.#fold(node);
    return node.any;
  }

  /** Makes one of the values: of all of them, or of those with a digit. */
  #fold(node: Node): void {
    node.any ??= this.#newAny();
    for (const [segment, child] of node.children) {
      if (segment === "" || !(node.isWhole || isIdentifier(segment))) continue;
      node.children.delete(segment);
      this.#merge(node.any, child);
    }
    node.ids = 0;
  }

  #merge(into: Node, from: Node): void {
    this.#nodes--;
    for (const [key, count] of from.ends) {
      if (into.ends.has(key)) this.#nodes--;
      into.ends.set(key, (into.ends.get(key) ?? 0) + count);
    }
    for (const [segment, child] of from.children) {
      const there = into.children.get(segment);
      if (there !== undefined) this.#merge(there, child);
      else if (into.any !== undefined && segment !== "" && (into.isWhole || isIdentifier(segment))) this.#merge(into.any, child);
      else {
        into.children.set(segment, child);
        if (isIdentifier(segment)) into.ids++;
      }
    }
    if (from.any !== undefined) {
      into.any ??= this.#newAny();
      into.isWhole ||= from.isWhole;
      this.#merge(into.any, from.any);
      this.#fold(into);
    }
    const values = into.children.size - (into.children.has("") ? 1 : 0);
    if (values > manyWords) into.isWhole = true;
    if (into.isWhole || into.ids > manyIds) this.#fold(into);
  }

  #newAny(): Node {
    this.#nodes++;
    return newNode();
  }

  #takeRoom(): boolean {
    if (this.#nodes >= maxNodes) return false;
    this.#nodes++;
    return true;
  }
}

function* entriesOf(node: Node, path: string): Generator<readonly [string, ReadonlyMap<string, number>]> {
  if (node.ends.size > 0) yield [path, node.ends];
  for (const [segment, child] of [...node.children].sort(([a], [b]) => (a < b ? -1 : 1))) yield* entriesOf(child, `${path}/${segment}`);
  if (node.any !== undefined) yield* entriesOf(node.any, `${path}/{id}`);
}

function isIdentifier(segment: string): boolean {
  return /\d/.test(segment) && !/^v\d+$/i.test(segment);
}

function newNode(): Node {
  return { children: new Map(), ids: 0, any: undefined, isWhole: false, ends: new Map() };
}
