import { networkInterfaces } from "node:os";
import { type Interfaces, ownAddress } from "../../extend.ts";
import { type Finding, ok, warn } from "./finding.ts";

/** The address that `register({ host: "auto" })` would advertise on this machine, with its interface, and the others that it might. */
export function addressFinding(interfaces: Interfaces = networkInterfaces()): Finding {
  const chosen = ownAddress({}, interfaces);
  if (chosen === undefined)
    return warn(
      "address",
      'a server that registers with host: "auto" would fail: this machine has no address but those of the loopback and link-local ones',
      "give the address by which others reach it: register({ host })",
    );
  const all = Object.entries(interfaces).flatMap(([name, list]) => (list ?? []).map((each) => ({ ...each, name })));
  const interfaceOf = (address: string): string => all.find((each) => each.address === address)?.name ?? "";
  const others = all
    .filter(
      ({ address, internal }) =>
        !internal && address !== chosen && ownAddress({}, { other: all.filter((each) => each.address === address) }),
    )
    .map(({ name, address }) => `${address} (${name})`);
  const rest = others.length === 0 ? "" : `; it also has ${others.join(", ")}`;
  return ok("address", `a server that registers with host: "auto" advertises ${chosen} (${interfaceOf(chosen)})${rest}`);
}
