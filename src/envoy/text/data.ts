/** Options as the file of a configuration has them. */
export type Options = Record<string, unknown>;

/** The object without what is not there. */
export function given(options: Options): Options {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** A text for a configuration, in which `${` begins a reference. */
export function literal(text: string): string {
  return text.replaceAll("${", "$${");
}
