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
