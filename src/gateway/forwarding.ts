import { isIPv6 } from "node:net";
import type { Peer } from "../server/inbound/peer.ts";
import type { ForwardedForm } from "./gateway-options.ts";
import type { RequestHead } from "./request-head.ts";

/** The most gateways of one name that a request passes. */
const maxPasses = 10;

/** How a gateway tells an instance about its client. */
export interface ForwardingRules {
  readonly forwarded: ForwardedForm;
  readonly via: string | false;
}

/** Adds the client of a connection to the headers of its request. Those of a trusted peer are continued; others were left out before. */
export function addForwarding(head: RequestHead, peer: Peer, httpVersion: string, { forwarded, via }: ForwardingRules): void {
  const { headers } = head;
  if (forwarded === "x-forwarded" || forwarded === "both") {
    const { address } = peer;
    if (address !== undefined) headers["x-forwarded-for"] = head.forwardedFor === undefined ? address : `${head.forwardedFor}, ${address}`;
    else if (head.forwardedFor !== undefined) headers["x-forwarded-for"] = head.forwardedFor;
    headers["x-forwarded-proto"] = head.forwardedProto ?? schemeOf(peer);
    const host = head.forwardedHost ?? head.host;
    if (host !== undefined) headers["x-forwarded-host"] = host;
  }
  if (forwarded === "forwarded" || forwarded === "both") {
    const own = element(head, peer);
    headers["forwarded"] = head.forwarded === undefined ? own : `${head.forwarded}, ${own}`;
  }
  if (via !== false) {
    const own = `${httpVersion === "2.0" ? "2" : httpVersion} ${via}`;
    headers["via"] = head.via === undefined ? own : `${head.via}, ${own}`;
  } else if (head.via !== undefined) headers["via"] = head.via;
}

/** Whether a request has passed gateways of this name so often that it goes in a circle. */
export function isCircling(passed: string, via: string): boolean {
  return passed.split(",").filter((each) => each.trim().split(/\s+/)[1] === via).length >= maxPasses;
}

/** An element of `Forwarded` (RFC 7239 §4). */
function element({ host }: RequestHead, peer: Peer): string {
  const { address } = peer;
  const client = address === undefined ? "unknown" : isIPv6(address) ? `"[${address}]"` : address;
  // A host has no quote and no backslash: it was checked before.
  return `for=${client}${host === undefined ? "" : `;host="${host}"`};proto=${schemeOf(peer)}`;
}

function schemeOf({ isSecure }: Peer): "http" | "https" {
  return isSecure ? "https" : "http";
}
