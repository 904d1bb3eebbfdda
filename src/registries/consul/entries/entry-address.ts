import { quoted } from "../../../core/text/clean-text.ts";
import { field, text } from "./json.ts";

/** Options that decide which address of an entry is used. */
export interface AddressRules {
  /** The tagged address to prefer. */
  readonly addressKey: string | undefined;
  /** The name of the port, for services that have several. */
  readonly portName: string | undefined;
}

/**
 * The address of an entry: the one tagged `addressKey` where its service or node has that, else the plain one. Returns a string with the reason
 * when there is none.
 */
export function entryAddress(
  service: unknown,
  node: unknown,
  { addressKey, portName }: AddressRules,
): { readonly host: string; readonly port: number } | string {
  const tagged = addressKey === undefined ? undefined : field(field(service, "TaggedAddresses"), addressKey);
  const host =
    (addressKey === undefined ? undefined : (either(tagged, "Address") ?? text(field(field(node, "TaggedAddresses"), addressKey)))) ??
    text(field(service, "Address")) ??
    text(field(node, "Address"));
  if (host === undefined) return "no address";
  const ports = portsOf(service);
  if (portName !== undefined && ports.length > 0) {
    const named = portOf(ports.find(({ name }) => name === portName)?.port);
    return named === undefined ? `no port named ${quoted(portName)}` : { host, port: named };
  }
  const port = portOf(field(tagged, "Port") ?? field(tagged, "port")) ?? portOf(field(service, "Port")) ?? defaultOf(ports);
  if (port !== undefined) return { host, port };
  return ports.length > 1 ? "several ports, none of which is the default (portName chooses one)" : "no port from 1 to 65535";
}

interface NamedPort {
  readonly name: unknown;
  readonly port: unknown;
  readonly isDefault: boolean;
}

/** The list that Consul 1.22 and later have beside `Port`, which is 0 where there are several. */
function portsOf(service: unknown): readonly NamedPort[] {
  const ports = field(service, "Ports");
  if (!Array.isArray(ports)) return [];
  return ports.map((port) => ({ name: field(port, "Name"), port: field(port, "Port"), isDefault: field(port, "Default") === true }));
}

function defaultOf(ports: readonly NamedPort[]): number | undefined {
  const [only] = ports;
  return portOf((ports.find(({ isDefault }) => isDefault) ?? (ports.length === 1 ? only : undefined))?.port);
}

/** Consul's API writes `Address`, its configuration files `address`, and both occur in answers. */
function either(tagged: unknown, name: "Address"): string | undefined {
  return text(field(tagged, name)) ?? text(field(tagged, name.toLowerCase()));
}

function portOf(port: unknown): number | undefined {
  return typeof port === "number" && Number.isInteger(port) && port >= 1 && port <= 65_535 ? port : undefined;
}
