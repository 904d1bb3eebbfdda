import type { Route } from "../../routing/route.ts";
import { sizeOf } from "../reading/values.ts";
import type { ListenAddress } from "./listeners.ts";
import { type GivenReader, routesAt, type ServerSpec } from "./server-routes.ts";

/** An address that a file listens on, and the rules for the requests that come there. */
export interface NginxListener {
  /** `*:80`, `127.0.0.1:8080`, `unix:/run/x.sock` */
  readonly address: string;
  /** `*` for every address. */
  readonly host: string;
  readonly port: number;
  readonly isSecure: boolean;
  readonly routes: readonly Route[];
  /** The certificates of its servers, by their files, and the names that they are for. */
  readonly certificates: readonly NginxCertificate[];
  /** The largest body that is taken, in bytes; 0: any. */
  readonly maxBodyBytes: number;
}

/** A certificate that a server shows. */
export interface NginxCertificate {
  readonly names: readonly string[];
  readonly cert: string;
  readonly key: string;
}

const defaultBodyBytes = 1_048_576;

/** The addresses that the servers of a file listen on, in their order. */
export function listenersOf(servers: readonly ServerSpec[], reader: GivenReader): readonly NginxListener[] {
  const addresses = new Map<string, ListenAddress>();
  for (const each of servers.flatMap((server) => server.addresses)) {
    const known = addresses.get(each.address);
    addresses.set(each.address, known === undefined ? each : { ...known, isSecure: known.isSecure || each.isSecure });
  }
  return [...addresses.values()].map(({ address, host, port, isSecure }) => {
    const here = servers.filter((server) => server.addresses.some((each) => each.address === address));
    const names = new Map<string, number>();
    // A server has the same rules for several names.
    const takeName = (name: string): string => {
      const count = (names.get(name) ?? 0) + 1;
      names.set(name, count);
      return count === 1 ? name : `${name}#${count}`;
    };
    return {
      address,
      host,
      port,
      isSecure,
      routes: routesAt(address, servers, reader, takeName),
      certificates: here.flatMap(certificateOf),
      maxBodyBytes: largestBody(here),
    };
  });
}

function certificateOf({ level, names }: ServerSpec): readonly NginxCertificate[] {
  const [cert, key] = ["ssl_certificate", "ssl_certificate_key"].map((name) => level.one(name)?.args[0]?.text);
  if (cert === undefined || key === undefined) return [];
  return [{ names: names.flatMap(({ match }) => (typeof match.host === "string" ? [match.host] : [])), cert, key }];
}

function largestBody(servers: readonly ServerSpec[]): number {
  const sizes = servers.flatMap(({ level }) => {
    const own = level.one("client_max_body_size");
    const inner = level.own("location").flatMap(({ block = [] }) => block.filter(({ name }) => name === "client_max_body_size"));
    return [own === undefined ? defaultBodyBytes : sizeOf(own), ...inner.map((each) => sizeOf(each))];
  });
  return sizes.includes(0) ? 0 : Math.max(defaultBodyBytes, ...sizes);
}
