const printable = /^[\x21-\x5b\x5d-\x7e]*$/;
const dotSegment = /(?:^|\/)(?:\.|%2e){1,2}(?=\/|$)/i;

/** Says why a path with its query is not sent as it is; `undefined` for one that is. */
export function pathFault(path: string): string | undefined {
  if (!printable.test(path))
    return "the path and query may hold printable ASCII without backslash and white space only: encode the rest with encodeURIComponent";
  if (!path.includes(".") && !path.includes("%2")) return undefined;
  const query = path.indexOf("?");
  return dotSegment.test(query === -1 ? path : path.slice(0, query))
    ? "the path has a dot segment (`.`, `..` or an encoded form)"
    : undefined;
}
