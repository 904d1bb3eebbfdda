import type { Kind, MessageTable } from "../../src/envoy/text/message.ts";
import { byName } from "../../src/envoy/text/message.ts";

/** A field of a table with one value of its kind, and the messages on the way to it from the whole file. */
export interface FieldCase {
  readonly message: string;
  readonly field: string;
  readonly path: readonly (string | number)[];
  readonly value: unknown;
  /** Whether each value means the same here, so that nothing is said. */
  readonly isSettled: boolean;
  /** Messages with their paths, from the outermost. */
  readonly above: readonly { readonly message: string; readonly path: readonly (string | number)[]; readonly type: string | undefined }[];
}

type Walk = Pick<FieldCase, "path" | "above">;

/** Every field of every table that a kind leads to, each once by the name of its message. */
export function fieldsOf(root: Kind, notThrough: ReadonlySet<string>): readonly FieldCase[] {
  const seen = new Set<string>();
  const cases: FieldCase[] = [];
  const add = (walk: Walk, message: string, field: string, value: unknown, isSettled = false): void => {
    cases.push({ ...walk, path: [...walk.path, field], message, field, value, isSettled });
  };
  const inMessage = (walk: Walk, message: string, table: MessageTable, type: string | undefined): void => {
    const inside = { path: walk.path, above: [...walk.above, { message, path: walk.path, type }] };
    for (const [field, kind] of Object.entries(table.fields)) {
      const key = `${message}.${field}${type ?? ""}`;
      if (seen.has(key)) continue;
      seen.add(key);
      if (notThrough.has(`${message}.${field}`)) continue;
      inKind(kind, { ...inside, path: [...walk.path, field] }, { add: (value, settled) => add(inside, message, field, value, settled) });
    }
    for (const reasons of [table.nothing, table.differs, table.missing])
      for (const field of byName(reasons).keys()) {
        if (seen.has(`${message}.${field}`)) continue;
        seen.add(`${message}.${field}`);
        add(inside, message, field, { sample: true });
      }
  };
  const inKind = (kind: Kind, walk: Walk, leaf: { add(value: unknown, isSettled: boolean): void }, type?: string): void => {
    const { message, table, list, map, types, samples, isSettled = false } = kind.form ?? {};
    if (isSettled && table === undefined) for (const value of samples ?? [[]]) leaf.add(value, true);
    else if (table !== undefined && message !== undefined) {
      // A message with fields is tried by each of them.
      if (isSettled || Object.keys(table().fields).length === 0) leaf.add({}, isSettled);
      if (!isSettled) inMessage(walk, message, table(), type);
    } else if (list !== undefined)
      inKind(list, { ...walk, path: [...walk.path, 0] }, { add: (value) => leaf.add([value], isSettled) }, type);
    else if (map !== undefined) {
      // A key of one's own; that of the one extension of clusters is its type.
      const own = map.form?.types === undefined ? "envoy.lb" : (Object.keys(map.form.types())[0] as string);
      inKind(map, { ...walk, path: [...walk.path, own] }, { add: (value) => leaf.add({ [own]: value }, isSettled) });
    } else if (types !== undefined)
      for (const [name, each] of Object.entries(types()))
        if (each.form === undefined) leaf.add({ "@type": `type.googleapis.com/${name}` }, false);
        else inKind(each, walk, { add: (value, settled) => leaf.add(typed(value, name), settled) }, name);
    else for (const value of samples ?? []) leaf.add(value, isSettled);
  };
  inKind(root, { path: [], above: [] }, { add: () => undefined });
  return cases;
}

function typed(value: unknown, type: string): unknown {
  return { "@type": `type.googleapis.com/${type}`, ...(value as object) };
}
