/** Where an index has a host of a match: one name, all below a name (`*.shop.example`), all that begin with one (`shop.*`), or every host. */
export type HostPlace = { readonly kind: "exact" | "below" | "begins"; readonly text: string } | { readonly kind: "any" };

/** The place of a host as a match has it, without its star. */
export function hostPlace(host: string): HostPlace {
  const plain = host.toLowerCase();
  if (plain === "*") return { kind: "any" };
  if (plain.startsWith("*.")) return { kind: "below", text: plain.slice(1) };
  if (plain.endsWith(".*")) return { kind: "begins", text: plain.slice(0, -1) };
  return { kind: "exact", text: plain };
}

/** Whether a host is at a place. The star stands for one label at least. */
export function isAt(place: HostPlace, host: string): boolean {
  if (place.kind === "any") return true;
  if (place.kind === "exact") return host === place.text;
  if (host.length <= place.text.length) return false;
  return place.kind === "below" ? host.endsWith(place.text) : host.startsWith(place.text);
}
