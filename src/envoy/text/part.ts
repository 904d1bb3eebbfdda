import type { Place } from "../../documents/document-error.ts";
import type { FindPlace, PartPath } from "../../documents/part-path.ts";
import { EnvoyError } from "./envoy-error.ts";
import type { EnvoyNotice } from "./notice.ts";

/** A text that parts come from, and the notices on all texts that are read together. */
export interface Origin {
  readonly source: string;
  readonly placeOf: FindPlace;
  readonly notices: EnvoyNotice[];
}

type Scalar = string | number | boolean;

/** A field that is known: its name in messages, and why nothing may have read it. Without a reason that would be an error. */
export interface Accepted {
  readonly field: string;
  readonly whenUnread: string | undefined;
  /** Whether it has fields of a table, of which each has its own say. */
  readonly isMessage?: boolean;
}

/**
 * A value of a file, and where it stands. The value may be replaced while old forms are written anew; the place stays, so that every message, also on
 * what the author did not write in this form, leads to what was written.
 */
export class Part {
  readonly origin: Origin;
  readonly path: PartPath;
  /** Fields in their order, elements, or a plain value. */
  value: Map<string, Part> | Part[] | Scalar;
  /** Set for what a table has as a field with a meaning: it must be read by what makes the data. */
  accepted: Accepted | undefined;
  #isRead = false;

  constructor(origin: Origin, path: PartPath, value: Part["value"]) {
    this.origin = origin;
    this.path = path;
    this.value = value;
  }

  /** A part that stands where this one does: written anew in another form. */
  anew(value: Part["value"]): Part {
    return new Part(this.origin, this.path, value);
  }

  /** The same for plain data. */
  madeOf(value: unknown): Part {
    return partOf(this.origin, this.path, value, false) ?? this.anew(new Map());
  }

  get fields(): Map<string, Part> | undefined {
    return this.value instanceof Map ? this.value : undefined;
  }

  /** Says that the table knows the part. What was read while it was checked does not count as read. */
  accept(field: string, whenUnread?: string): void {
    this.accepted = { field, whenUnread };
    this.#isRead = false;
  }

  get isRead(): boolean {
    return this.#isRead;
  }

  /** The part at these fields, one inside the other. All on the way have been read then. */
  at(...names: readonly string[]): Part | undefined {
    this.#isRead = true;
    let part: Part | undefined = this;
    for (const name of names) {
      part = part?.fields?.get(name);
      if (part !== undefined) part.#isRead = true;
    }
    return part;
  }

  /** A text by which a part is looked for, or told from others: that alone is no reading of it. */
  peek(name: string): string | undefined {
    const value = this.fields?.get(name)?.value;
    return typeof value === "string" ? value : undefined;
  }

  /** All fields with their names, which are the author's. */
  entries(): readonly (readonly [string, Part])[] {
    this.#isRead = true;
    const entries = [...(this.fields ?? [])];
    for (const [, part] of entries) part.#isRead = true;
    return entries;
  }

  /** The part and all in it is settled by what was said of it, or means the same here without a word. */
  settle(): void {
    this.#isRead = true;
    const parts = Array.isArray(this.value) ? this.value : (this.fields?.values() ?? []);
    for (const part of parts) part.settle();
  }

  /** The elements of a list; none where there is no list. */
  list(...names: readonly string[]): readonly Part[] {
    const value = this.at(...names)?.value;
    return Array.isArray(value) ? value : [];
  }

  text(...names: readonly string[]): string | undefined {
    const value = this.at(...names)?.value;
    return typeof value === "string" ? value : undefined;
  }

  number(...names: readonly string[]): number | undefined {
    const value = this.at(...names)?.value;
    return typeof value === "number" ? value : undefined;
  }

  flag(...names: readonly string[]): boolean | undefined {
    const value = this.at(...names)?.value;
    return typeof value === "boolean" ? value : undefined;
  }

  /** A percentage, which is 0 where it is there without a value. */
  percent(...names: readonly string[]): number | undefined {
    const part = this.at(...names);
    return part === undefined ? undefined : (part.number("value") ?? 0);
  }

  /** A duration, in milliseconds. */
  ms(...names: readonly string[]): number | undefined {
    const text = this.text(...names);
    return text === undefined ? undefined : Math.round(Number(text.slice(0, -1)) * 1e6) / 1e3;
  }

  set(name: string, part: Part): void {
    this.fields?.set(name, part);
  }

  /** Takes a field out, and returns it. */
  take(name: string): Part | undefined {
    const part = this.fields?.get(name);
    this.fields?.delete(name);
    return part;
  }

  /** @throws EnvoyError with the place of the part. */
  refuse(problem: string): never {
    throw new EnvoyError(this.origin.source, problem, this.place);
  }

  notice(kind: EnvoyNotice["kind"], field: string, message: string): void {
    const { line, column } = this.place;
    this.origin.notices.push({ file: this.origin.source, line, column, field, kind, message });
  }

  /** Where the field stands that this part is the value of; an element of a list by itself. */
  get place(): Place {
    const isKey = typeof this.path.at(-1) === "string";
    return this.origin.placeOf(this.path, isKey) ?? this.origin.placeOf(this.path) ?? { line: 1, column: 1 };
  }

  /** The value as plain data. */
  plain(): unknown {
    if (Array.isArray(this.value)) return this.value.map((each) => each.plain());
    if (!(this.value instanceof Map)) return this.value;
    return Object.fromEntries([...this.value].map(([name, each]) => [name, each.plain()]));
  }
}

/** The parts of a value that was read. What is `null` is not there, as for protobuf. */
export function partOf(origin: Origin, path: PartPath, value: unknown, isRead = true): Part | undefined {
  if (value === null || value === undefined) return undefined;
  const below = (name: string | number): PartPath => (isRead ? [...path, name] : path);
  if (Array.isArray(value)) {
    const elements = value.map((each: unknown, index) => partOf(origin, below(index), each, isRead));
    return new Part(
      origin,
      path,
      elements.filter((each) => each !== undefined),
    );
  }
  if (typeof value !== "object") return new Part(origin, path, value as Scalar);
  const fields = new Map<string, Part>();
  for (const [name, each] of Object.entries(value)) {
    const part = partOf(origin, below(name), each, isRead);
    if (part !== undefined) fields.set(name, part);
  }
  return new Part(origin, path, fields);
}
