/** A template of paths, read. */
export interface PathTemplate {
  readonly segments: readonly TemplateSegment[];
  /** The name of the rest: `{rest*}` at the end. */
  readonly withRest: string | undefined;
}

/** A segment: its text, or the name in braces. */
export interface TemplateSegment {
  readonly text: string | undefined;
  readonly name: string | undefined;
}

/**
 * Reads `/users/{id}/orders` and `/files/{rest*}`.
 * @throws Error saying why, for another text.
 */
export function parseTemplate(template: string): PathTemplate {
  if (!template.startsWith("/")) throw new Error("a template begins with /");
  const parts = template.slice(1).split("/");
  const names = new Set<string>();
  const note = (name: string): string => {
    if (names.has(name)) throw new Error(`{${name}} stands in it twice`);
    names.add(name);
    return name;
  };
  const rest = /^\{(\w+)\*\}$/.exec(parts.at(-1) ?? "")?.[1];
  const segments = (rest === undefined ? parts : parts.slice(0, -1)).map((part): TemplateSegment => {
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    if (name !== undefined) return { text: undefined, name: note(name) };
    if (/[{}]/.test(part)) throw new Error("a pair of braces is a whole segment with a name, {id}; only the last may be {rest*}");
    return { text: part, name: undefined };
  });
  return { segments, withRest: rest === undefined ? undefined : note(rest) };
}

/** The names in braces of a template. */
export function templateNames({ segments, withRest }: PathTemplate): readonly string[] {
  return [...segments.flatMap(({ name }) => name ?? []), ...(withRest === undefined ? [] : [withRest])];
}

/** The parts of a path that stand for the names of a template that it matches. */
export function templateValues({ segments, withRest }: PathTemplate, path: string): ReadonlyMap<string, string> {
  const given = path.slice(1).split("/");
  const values = new Map<string, string>();
  for (const [index, { name }] of segments.entries()) if (name !== undefined) values.set(name, given[index] ?? "");
  if (withRest !== undefined) values.set(withRest, given.slice(segments.length).join("/"));
  return values;
}
