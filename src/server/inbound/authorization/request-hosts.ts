import { plainHost } from "../../../authorization/conditions/host.ts";

/** The hosts that a request names: `host`, `:authority` of HTTP/2, and the one of a target in the form that proxies get (RFC 9112 §3.2.2). */
export function hostsOf(rawHeaders: readonly string[], target: string): readonly string[] {
  const hosts: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    if (name === ":authority" || (name.length === 4 && name.toLowerCase() === "host")) hosts.push(rawHeaders[index + 1] as string);
  }
  if (target.startsWith("/")) return hosts;
  const named = /^https?:\/\/([^/?#]*)/i.exec(target)?.[1];
  if (named !== undefined) hosts.push(named);
  return hosts;
}

/** Says why readers of a request may differ on its host; `undefined` for all others. */
export function hostProblem(hosts: readonly string[]): string | undefined {
  if (hosts.length < 2) return undefined;
  const [first = "", ...others] = hosts.map(plainHost);
  return others.every((other) => other === first) ? undefined : "the request names two hosts";
}
