/** One element of `x-forwarded-client-cert`: what one proxy says of the certificate of its client. */
export type XfccElement = readonly (readonly [key: string, value: string])[];

/** As long as a header may be; longer ones are not read. */
const maxLength = 16_384;

/**
 * The last element of an `x-forwarded-client-cert` header, which the proxy in front has written: those before it are what its client has sent (Envoy's
 * `APPEND_FORWARD`). The whole header must keep to the grammar, since an element left open would swallow the next: `key=value` pairs by
 * `;`, elements by `,`, values with one of `,;="` in double quotes, with `\` before a quote in one. `undefined` for anything else.
 */
export function lastXfccElement(header: string): XfccElement | undefined {
  if (header.length === 0 || header.length > maxLength) return undefined;
  let pairs: [key: string, value: string][] = [];
  for (let at = 0; ; ) {
    const equals = header.indexOf("=", at);
    const key = equals === -1 ? "" : header.slice(at, equals);
    if (!/^[A-Za-z]+$/.test(key)) return undefined;
    const value = valueAt(header, equals + 1);
    if (value === undefined) return undefined;
    pairs.push([key.toLowerCase(), value.text]);
    at = value.end + 1;
    if (value.end === header.length) return pairs;
    if (header[value.end] === ",") {
      pairs = [];
      // Lists of headers may have blanks after the comma.
      while (header[at] === " " || header[at] === "\t") at++;
    }
  }
}

interface Value {
  readonly text: string;
  /** The place after it: a separator, or the end of the header. */
  readonly end: number;
}

function valueAt(header: string, start: number): Value | undefined {
  if (header[start] === '"') return quotedAt(header, start + 1);
  let end = start;
  for (; end < header.length && header[end] !== ";" && header[end] !== ","; end++) {
    if (header[end] === '"' || header[end] === "=") return undefined;
  }
  return { text: header.slice(start, end), end };
}

/** A value in quotes. A backslash stands for itself unless a quote follows: Envoy marks only quotes, in names that have backslashes of their own. */
function quotedAt(header: string, start: number): Value | undefined {
  let text = "";
  for (let at = start; at < header.length; at++) {
    const char = header[at] as string;
    if (char === '"') {
      const end = at + 1;
      const isWhole = end === header.length || header[end] === ";" || header[end] === ",";
      return isWhole ? { text, end } : undefined;
    }
    if (char === "\\" && at + 1 < header.length) text += header[++at] === '"' ? '"' : `\\${header[at]}`;
    else text += char;
  }
  return undefined;
}
