import { type Directive, faultOf } from "../grammar/directive.ts";
import { piecesOf, withValues } from "./variables.ts";

/** A block with what it takes over from those around it: `http`, a server in it, a location in that. */
export class Level {
  readonly directives: readonly Directive[];
  readonly parent: Level | undefined;
  readonly #byName = new Map<string, Directive[]>();
  /** Variables whose value is known when the file is read. */
  readonly #values: ReadonlyMap<string, string>;

  constructor(directives: readonly Directive[], parent: Level | undefined, values: ReadonlyMap<string, string> = new Map()) {
    this.directives = directives;
    this.parent = parent;
    for (const directive of directives) {
      const known = this.#byName.get(directive.name);
      if (known === undefined) this.#byName.set(directive.name, [directive]);
      else known.push(directive);
    }
    this.#values = this.#withSets(values);
  }

  /** All of a name that stand here. */
  own(name: string): readonly Directive[] {
    return this.#byName.get(name) ?? [];
  }

  /** The one of a name that stands here. */
  ownOne(name: string): Directive | undefined {
    const [first, second] = this.own(name);
    if (second !== undefined) throw faultOf(second, `it stands here twice, first at line ${first?.place.line}`);
    return first;
  }

  /** The one of a name that is in force: of the nearest block that has one. */
  one(name: string): Directive | undefined {
    return this.ownOne(name) ?? this.parent?.one(name);
  }

  /** All of a name that are in force: those of the nearest block that has any, and no others. */
  all(name: string): readonly Directive[] {
    const own = this.own(name);
    return own.length > 0 ? own : (this.parent?.all(name) ?? []);
  }

  /** The value of a variable that is known when the file is read. */
  valueOf(name: string): string | undefined {
    return this.#values.get(name) ?? this.parent?.valueOf(name);
  }

  /** A text with the variables put in whose values are known. */
  resolved(text: string): string {
    return text.includes("$") ? withValues(text, (name) => this.valueOf(name)) : text;
  }

  /** With those that `set` gives a value once, here, which no request changes. */
  #withSets(values: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
    const sets = this.own("set");
    if (sets.length === 0) return values;
    const known = new Map(values);
    for (const set of sets) {
      const [name, value] = set.args;
      if (name === undefined || value === undefined || set.args.length > 2 || !/^\$\w+$/.test(name.text))
        throw faultOf(set, "it takes a variable and its value: set $name value;");
      const text = withValues(value.text, (each) => known.get(each) ?? this.parent?.valueOf(each));
      // One that names itself or a later one stays a variable.
      if (!piecesOf(text).some((piece) => piece.name === name.text.slice(1))) known.set(name.text.slice(1), text);
    }
    return known;
  }
}
