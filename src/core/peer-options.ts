import type { Endpoint } from "./endpoint.ts";
import { refuseOption } from "./settings/checks.ts";
import { optionTable } from "./settings/option-table.ts";
import { choice, custom } from "./settings/rules.ts";

/**
 * Whether the instances of a service are spoken to over TLS.
 *
 * - `strict`: always, whatever discovery says of them: an entry that lacks `secure` decides nothing.
 * - `permissive`: where discovery says `secure: true`. A handshake that fails is an error and never leads to plain text.
 * - `off`: never.
 */
export type PeerMode = "strict" | "permissive" | "off";

/** The other side of the connections to a service; `peer` in the options of the mesh and of a service. */
export interface PeerOptions {
  /**
   * `strict`: TLS with every instance, whatever discovery says of it. `permissive`: TLS with those that discovery lists with `secure: true`.
   * `off`: no TLS. @default "permissive"
   */
  readonly mode?: PeerMode;
  /**
   * The name of the service to its instances: the `host` header (`:authority`), the name that the TLS handshake asks for (SNI) and that their
   * certificates must carry. It goes before `tls.serverName`. @default the host and port of the endpoint; its host for TLS
   */
  readonly name?: string;
}

const hostName = /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*$/;
/** Resolvers and URL parsers read these as addresses, which are no names in TLS. */
const numericEnd = /(?:^|\.)(?:\d+|0[xX][0-9A-Fa-f]*)$/;

/** The rules of {@link PeerOptions}. */
export const peerOptions = optionTable<PeerOptions>()({
  mode: choice(["strict", "permissive", "off"], "permissive"),
  name: custom<string | undefined>({
    type: "string",
    default: undefined,
    defaultText: "the host and port of the endpoint; its host for TLS",
    check(option, value) {
      if (typeof value !== "string" || !hostName.test(value) || numericEnd.test(value))
        refuseOption(option, value, "a host name without a port");
    },
  }),
});

/** The endpoints as a service with this mode speaks to them. Returns the same array where it has nothing to change. */
export function endpointsFor(mode: PeerMode, endpoints: readonly Endpoint[]): readonly Endpoint[] {
  if (mode === "permissive") return endpoints;
  const secure = mode === "strict";
  if (endpoints.every((endpoint) => (endpoint.secure ?? false) === secure)) return endpoints;
  return endpoints.map((endpoint) => (endpoint.secure === secure ? endpoint : { ...endpoint, secure }));
}
