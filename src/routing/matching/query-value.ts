/**
 * The value of the first parameter of this name in a query, decoded as forms encode it; `undefined` where there is none. `query` begins with its question
 * mark, or is empty.
 */
export function queryValue(query: string, name: string): string | undefined {
  const raw = rawQueryValue(query, name);
  return raw === undefined ? undefined : decoded(raw);
}

/** The same, as it stands in the query. */
export function rawQueryValue(query: string, name: string): string | undefined {
  let from = 1;
  while (from < query.length) {
    const next = query.indexOf("&", from);
    const end = next === -1 ? query.length : next;
    const equals = query.indexOf("=", from);
    const nameEnd = equals === -1 || equals > end ? end : equals;
    if (isName(query, from, nameEnd, name)) return nameEnd === end ? "" : query.slice(nameEnd + 1, end);
    from = end + 1;
  }
  return undefined;
}

function isName(query: string, from: number, to: number, name: string): boolean {
  if (to === from) return false;
  const given = query.slice(from, to);
  return isCoded.test(given) ? decoded(given) === name : given === name;
}

const isCoded = /[%+]/;

function decoded(text: string): string {
  if (!isCoded.test(text)) return text;
  const spaced = text.replaceAll("+", " ");
  try {
    return decodeURIComponent(spaced);
  } catch {
    // What is no UTF-8 in percent-encoding is matched as it stands.
    return spaced;
  }
}
