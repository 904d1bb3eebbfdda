import { hostAndPort } from "../core/endpoint.ts";

/** The connection of a request, as far as it tells the address that the caller has reached. */
interface LocalEnd {
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
}

/**
 * The names of this instance in `x-mesh-instance`: its id in the registry, and the address that the request came to. A caller believes the header
 * where one of them is the instance that it has called.
 */
export function namesOf(id: string | undefined, { localAddress, localPort }: LocalEnd): string {
  const names = id === undefined ? [] : [encodeURIComponent(id)];
  if (localAddress !== undefined && localPort !== undefined)
    names.push(hostAndPort({ host: localAddress.replace(/^::ffff:(?=\d+\.)/, ""), port: localPort }));
  return names.join(",");
}
