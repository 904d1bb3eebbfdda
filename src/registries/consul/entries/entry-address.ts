import { field, text } from "./json.ts";

/** The address of an entry: the one tagged `addressKey` where its service or node has that, else the plain one. */
export function entryAddress(
  service: unknown,
  node: unknown,
  addressKey: string | undefined,
): { readonly host: string; readonly port: number } | undefined {
  const tagged = addressKey === undefined ? undefined : field(field(service, "TaggedAddresses"), addressKey);
  const host =
    (addressKey === undefined ? undefined : (either(tagged, "Address") ?? text(field(field(node, "TaggedAddresses"), addressKey)))) ??
    text(field(service, "Address")) ??
    text(field(node, "Address"));
  const port = portOf(field(tagged, "Port") ?? field(tagged, "port")) ?? portOf(field(service, "Port"));
  // In Consul, port 0 means that a service has none.
  return host === undefined || port === undefined ? undefined : { host, port };
}

/** Consul's API writes `Address`, its configuration files `address`, and both occur in answers. */
function either(tagged: unknown, name: "Address"): string | undefined {
  return text(field(tagged, name)) ?? text(field(tagged, name.toLowerCase()));
}

function portOf(port: unknown): number | undefined {
  return typeof port === "number" && Number.isInteger(port) && port >= 1 && port <= 65_535 ? port : undefined;
}
