/** The headers of a response. */
export interface HeaderLines {
  /** Lower-case names and their values in turn: `["content-type", "text/plain", "set-cookie", "a=1", …]`. */
  readonly headers: readonly string[];
  /** The first value of one header (lower case), where it can be had without reading all of them. */
  header?(name: string): string | undefined;
}

/** The value of the header `name` (lower case), the first when it occurs more than once. */
export function headerOf(response: HeaderLines, name: string): string | undefined {
  if (response.header !== undefined) return response.header(name);
  const { headers } = response;
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index] === name) return headers[index + 1];
  }
  return undefined;
}
