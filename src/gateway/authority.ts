/** A host with an optional port (RFC 3986 §3.2.2), without user information. */
const form = /^(?:[\w.~!$&'()*+,;=%-]+|\[[\da-fA-F:.]+\])(?::\d{1,5})?$/;

/** Where a request goes, as its first line says it. */
export interface RequestTarget {
  /** Path and query, or the reason why there is none. */
  readonly path: string;
  readonly fault: string | undefined;
}

/** Whether a text names a host. */
export function isAuthority(text: string): boolean {
  return form.test(text);
}

/**
 * The path of a request. The absolute form (`GET http://host/path`, RFC 9112 §3.2.2) is taken where it names the host that the header names: programs
 * disagree about which of two counts.
 */
export function targetOf(url: string, host: string | undefined): RequestTarget {
  if (url.startsWith("/")) return { path: url, fault: undefined };
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url);
  if (absolute === null) return { path: "", fault: "its target is no path" };
  const [, authority = "", rest = ""] = absolute;
  if (authority.toLowerCase() !== host?.toLowerCase()) return { path: "", fault: "its target names another host than its header" };
  return { path: rest.startsWith("/") ? rest : `/${rest}`, fault: undefined };
}
