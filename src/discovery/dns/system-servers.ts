import nodeDns from "node:dns";
import type { Clock } from "../../core/clock.ts";
import { type DnsServer, parseServer } from "./server.ts";

/** How long a list of the system's servers is used, in milliseconds. Reading it takes about 0.1 ms. */
const readEveryMs = 1_000;

// Node reads the system's configuration once, for `getServers`; `setServers` puts another function in its place. Called on the object,
// since a named import would never see that.
const getAtStart = nodeDns.getServers;
const isChosenAtStart = /* @__PURE__ */ differsFromSystem();

/**
 * The servers that the system has now, such as those of `/etc/resolv.conf`: they change with the network, while Node keeps those of its start.
 * Servers that the program has chosen by `dns.setServers` take precedence. Read again after a second at the earliest.
 */
export function systemServers(clock: Clock): () => readonly DnsServer[] {
  let servers: readonly DnsServer[] = [];
  let readAt = Number.NEGATIVE_INFINITY;
  return () => {
    if (isChosenAtStart || nodeDns.getServers !== getAtStart) return parsed(nodeDns.getServers());
    const now = clock.now();
    if (now - readAt >= readEveryMs) {
      servers = parsed(new nodeDns.Resolver().getServers());
      readAt = now;
    }
    return servers;
  };
}

/** Whether the program has chosen its servers before this module was loaded. */
function differsFromSystem(): boolean {
  return nodeDns.getServers().join() !== new nodeDns.Resolver().getServers().join();
}

function parsed(list: readonly string[]): readonly DnsServer[] {
  return list.flatMap((text) => parseServer(text) ?? []);
}
