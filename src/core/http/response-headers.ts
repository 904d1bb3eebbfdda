/** The headers of a response. */
export interface HeaderLines {
  /** Names in lower case and values in turn: `["content-type", "text/plain", "set-cookie", "a=1", …]`. */
  readonly headers: readonly string[];
  /** The first value of one header (name in lower case), for a response that finds it without decoding all headers. */
  header?(name: string): string | undefined;
}

/** The first value of a header (name in lower case); `undefined` where it is absent. */
export function headerOf(response: HeaderLines, name: string): string | undefined {
  if (response.header !== undefined) return response.header(name);
  const { headers } = response;
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index] === name) return headers[index + 1];
  }
  return undefined;
}
