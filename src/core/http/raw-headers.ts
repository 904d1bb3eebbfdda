/**
 * The first value of a header, by its name in lower case, from headers as Node.js has them: name, value, name, value. The object of all headers is
 * made by Node.js when it is first asked for, which costs more than all parts together.
 */
export function rawHeader(raw: readonly string[], name: string): string | undefined {
  for (let index = 0; index < raw.length; index += 2) {
    const given = raw[index] as string;
    if (given.length === name.length && (given === name || given.toLowerCase() === name)) return raw[index + 1];
  }
  return undefined;
}

/** All values of a header, as {@link rawHeader}. */
export function rawHeaderValues(raw: readonly string[], name: string): readonly string[] {
  const values: string[] = [];
  for (let index = 0; index < raw.length; index += 2) {
    const given = raw[index] as string;
    if (given.length === name.length && (given === name || given.toLowerCase() === name)) values.push(raw[index + 1] as string);
  }
  return values;
}

/** Headers as Node.js has them: the raw ones, and the objects that it makes of them when they are first asked for. */
export interface NodeHeaders {
  readonly raw: string[];
  readonly objects: readonly (object | undefined)[];
}

/**
 * Takes headers out wherever a message has them. The objects must have been asked for already: Node.js counts the raw headers before it makes them, and would read past
 * their end.
 */
export function removeHeaders({ raw, objects }: NodeHeaders, isRemoved: (name: string) => boolean): void {
  for (const headers of objects)
    for (const name of Object.keys(headers ?? {})) if (isRemoved(name)) Reflect.deleteProperty(headers as object, name);
  let to = 0;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    if (isRemoved(raw[index] as string)) continue;
    raw[to++] = raw[index] as string;
    raw[to++] = raw[index + 1] as string;
  }
  raw.length = to;
}
