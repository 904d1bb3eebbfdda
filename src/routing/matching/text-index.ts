import { type EntryVisitor, MethodBucket } from "./method-bucket.ts";

/** The end of what has been read of a path, as far as it is the beginning of a text that is looked for. */
class TextNode<Entry> {
  /** Most have one next: a map for each would be the most of what a search looks at. */
  code = -1;
  only: TextNode<Entry> | undefined = undefined;
  others: Map<number, TextNode<Entry>> | undefined = undefined;
  /** Of the text that ends here. */
  bucket: MethodBucket<Entry> | undefined = undefined;
  /** The node of the longest beginning that is the end of this one. */
  shorter: TextNode<Entry> | undefined = undefined;
  /** The nearest of the shorter ones that has a bucket. */
  ended: TextNode<Entry> | undefined = undefined;
  /** The search that was told of the bucket last: a text may be in a path many times. */
  toldIn = 0;

  next(code: number): TextNode<Entry> | undefined {
    return this.code === code ? this.only : this.others?.get(code);
  }

  /** The next one by this character, made where there is none. */
  grow(code: number): TextNode<Entry> {
    const known = this.next(code);
    if (known !== undefined) return known;
    const made = new TextNode<Entry>();
    if (this.only === undefined) {
      this.code = code;
      this.only = made;
    } else {
      this.others ??= new Map();
      this.others.set(code, made);
    }
    return made;
  }

  *all(): Generator<readonly [code: number, node: TextNode<Entry>]> {
    if (this.only !== undefined) yield [this.code, this.only];
    yield* this.others ?? [];
  }
}

/**
 * Entries by a text that their paths have somewhere: finds all of these texts in a path in one pass, however many there are (A. V. Aho, M. J. Corasick,
 * "Efficient String Matching: An Aid to Bibliographic Search", 1975).
 */
export class TextIndex<Entry> {
  readonly #root = new TextNode<Entry>();
  #isLinked = true;
  #searches = 0;

  /** Entries come in the order of their ranks. */
  add(entry: Entry, methods: readonly string[] | undefined, text: string): void {
    this.#isLinked = false;
    let node = this.#root;
    for (let at = 0; at < text.length; at++) node = node.grow(text.charCodeAt(at));
    node.bucket ??= new MethodBucket();
    node.bucket.add(entry, methods);
  }

  /** Tells of the entries whose text a path has. */
  find(method: string, path: string, visitor: EntryVisitor<Entry>): void {
    if (!this.#isLinked) this.#link();
    const search = ++this.#searches;
    let node = this.#root;
    for (let at = 0; at < path.length; at++) {
      node = this.#step(node, path.charCodeAt(at));
      for (let end = node.bucket === undefined ? node.ended : node; end !== undefined && end.toldIn !== search; end = end.ended) {
        end.toldIn = search;
        end.bucket?.tell(method, visitor);
      }
    }
  }

  #step(from: TextNode<Entry>, code: number): TextNode<Entry> {
    for (let node: TextNode<Entry> | undefined = from; node !== undefined; node = node.shorter) {
      const next = node.next(code);
      if (next !== undefined) return next;
    }
    return this.#root;
  }

  /** Links each node to shorter ones, which are linked before it. */
  #link(): void {
    const nodes = [this.#root];
    for (const node of nodes) {
      for (const [code, next] of node.all()) {
        next.shorter = node.shorter === undefined ? this.#root : this.#step(node.shorter, code);
        next.ended = next.shorter.bucket === undefined ? next.shorter.ended : next.shorter;
        nodes.push(next);
      }
    }
    this.#isLinked = true;
  }
}
