import { quoted } from "../../core/text/clean-text.ts";
import type { Part } from "../text/part.ts";

/** Virtual hosts in the order in which Envoy looks for the one of a request, each with the domains of one rank. */
export interface HostRank {
  readonly virtualHost: Part;
  /** Without ports. `*` alone stands for every host. */
  readonly domains: readonly string[];
}

/** Exact names go first, then `*.shop.example`, the longest first, then `shop.*` in the same way, then `*`. */
function rankOf(domain: string): number {
  if (domain === "*") return 3;
  if (domain.startsWith("*")) return 1;
  return domain.endsWith("*") ? 2 : 0;
}

/**
 * The virtual hosts by the rank of their domains. Ports of domains are not compared: a call has the port of its service.
 * @throws EnvoyError where two virtual hosts have one domain.
 */
export function hostsInOrder(virtualHosts: readonly Part[]): readonly HostRank[] {
  const seen = new Map<string, Part>();
  const all: { readonly domain: string; readonly virtualHost: Part }[] = [];
  for (const virtualHost of virtualHosts) {
    if (virtualHost.list("domains").length === 0) virtualHost.refuse("VirtualHost.domains must have a domain");
    for (const part of virtualHost.list("domains")) {
      const domain = domainOf(part);
      const owner = seen.get(domain);
      if (owner === virtualHost) continue;
      if (owner !== undefined)
        part.refuse(
          `the domain ${quoted(domain)} is that of two virtual hosts, ${quoted(owner.text("name"))} and ${quoted(virtualHost.text("name"))}; ports are not compared`,
        );
      seen.set(domain, virtualHost);
      all.push({ domain, virtualHost });
    }
  }
  all.sort(
    (one, other) => rankOf(one.domain) - rankOf(other.domain) || (rankOf(one.domain) === 0 ? 0 : other.domain.length - one.domain.length),
  );
  return grouped(all);
}

/** Domains of one virtual host that follow each other, or have no order among them, are one match. */
function grouped(all: readonly { readonly domain: string; readonly virtualHost: Part }[]): readonly HostRank[] {
  const ranks: { virtualHost: Part; domains: string[]; isExact: boolean }[] = [];
  for (const { domain, virtualHost } of all) {
    const isExact = rankOf(domain) === 0;
    const last = isExact ? ranks.find((each) => each.isExact && each.virtualHost === virtualHost) : ranks.at(-1);
    if (last !== undefined && last.virtualHost === virtualHost && last.isExact === isExact) last.domains.push(domain);
    else ranks.push({ virtualHost, domains: [domain], isExact });
  }
  return ranks;
}

function domainOf(part: Part): string {
  const domain = (part.text() ?? "").toLowerCase().replace(/:(?:\d+|\*)$/, "");
  if (!/^\*?[^*]*$|^[^*]+\*$/.test(domain)) part.refuse(`the domain ${quoted(part.text())} must have its * at the beginning or at the end`);
  if (/^\*[^.]/.test(domain) || /[^.]\*$/.test(domain))
    part.refuse(`the domain ${quoted(part.text())}: a * stands for whole labels, as in *.shop.example`);
  return domain;
}
