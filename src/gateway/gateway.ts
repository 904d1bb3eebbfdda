/**
 * `inmesh/gateway`: the routes of a mesh as a reverse proxy, on the servers of Node.js.
 *
 * @packageDocumentation
 */
import type { Duplex } from "node:stream";
import { refuseOption } from "../core/settings/checks.ts";
import { doorOf } from "../core/stages/mesh-door.ts";
import { Networks } from "../server/inbound/networks.ts";
import type { NodeServer, ServerReply, ServerRequest } from "../server/node-server.ts";
import { type GatewayOptions, gatewayOptions } from "./gateway-options.ts";
import type { GatewayParts } from "./gateway-parts.ts";
import { HeaderKinds } from "./header-kinds.ts";
import { listenAs } from "./listening/gateway-server.ts";
import { type GatewayListenOptions, gatewayListenOptions } from "./listening/listen-options.ts";
import { OpenRequests } from "./open-requests.ts";
import { Passage } from "./passage.ts";
import { Guards } from "./rules/guards.ts";
import { switchThrough, wantsSwitch } from "./switch.ts";

export type { TokenPlace, TokenVerifier } from "../authentication/token-verifier.ts";
export type { VerifiedToken } from "../core/peers/caller.ts";
export type { Credentials, Trust } from "../identity/credentials.ts";
export type { IdentityListener, IdentitySource, IdentityWatch } from "../identity/identity-source.ts";
export type { NodeServer, ServerReply, ServerRequest } from "../server/node-server.ts";
export type { ForwardedForm, GatewayFailure, GatewayOptions } from "./gateway-options.ts";
export type { CertificateFiles, GatewayListenOptions } from "./listening/listen-options.ts";
export type { CorsOptions } from "./rules/cors.ts";
export type { GatewayRateLimit, GatewayRule } from "./rules/rule-options.ts";

/** A reverse proxy. */
export interface Gateway {
  /** Passes a request on and answers it: a listener of `request` of `node:http`, `node:https` and `node:http2`, and a handler of Express. */
  readonly handle: (request: ServerRequest, reply: ServerReply) => void;
  /** Changes a connection to a WebSocket of an instance: a listener of `upgrade` of `node:http` and `node:https`. Other protocols get 501. */
  readonly upgrade: (request: ServerRequest, socket: Duplex, head: Buffer) => void;
  /**
   * Makes a server that has the limits of a gateway, of HTTP/1.1 or, with certificates, of both versions over TLS, and lets it listen. `serve` of
   * `inmesh/server` lets it leave without losing a request. Rejects for a certificate that cannot be used, and a port that cannot be had.
   */
  readonly listen: (options?: GatewayListenOptions) => Promise<NodeServer>;
  /**
   * Takes other options, and another mesh if one is given, for all requests that begin from now on, in one step. Those under way end by what they began with: the
   * promise resolves when all of them have, and the former mesh can be closed. Counts of rate limits begin anew. Where listeners listen stays.
   * @throws TypeError or RangeError naming the option, for a wrong one: nothing changes then.
   */
  readonly reconfigure: (options: GatewayOptions, mesh?: object) => Promise<void>;
}

/**
 * Makes a reverse proxy: each request goes through the mesh, by its routes, and the response comes back as it arrives, both at the pace of the slower side.
 * Errors are answered without the names of services and instances.
 * @throws TypeError or RangeError naming the option, for a wrong one.
 */
export function gateway(mesh: object, options: GatewayOptions = {}): Gateway {
  let parts = partsOf(mesh, options);
  let meshInUse = mesh;
  const handle: Gateway["handle"] = (request, reply) => new Passage(parts, request, reply).begin();
  const upgrade: Gateway["upgrade"] = (request, socket, head) => switchThrough(parts, request, socket, head);
  return {
    handle,
    upgrade,
    async listen(listenOptions = {}) {
      gatewayListenOptions.check("gateway.listen", listenOptions);
      return await listenAs({ handle, upgrade, wantsSwitch }, gatewayListenOptions.settle(listenOptions));
    },
    reconfigure(next, nextMesh = meshInUse) {
      const { open } = parts;
      parts = partsOf(nextMesh, next);
      meshInUse = nextMesh;
      return open.ended();
    },
  };
}

function partsOf(mesh: object, options: GatewayOptions): GatewayParts {
  const door = typeof mesh === "object" && mesh !== null ? doorOf(mesh) : undefined;
  if (door === undefined) refuseOption("gateway: mesh", mesh, "a mesh that createMesh has made");
  gatewayOptions.check("gateway", options);
  const settings = gatewayOptions.settle(options);
  return {
    door,
    settings,
    kinds: new HeaderKinds(settings.requestId === false ? false : settings.requestId.toLowerCase()),
    trusted: new Networks("gateway.trustedPeers", settings.trustedPeers),
    guards: Object.keys(settings.rules).length === 0 ? undefined : new Guards(door, settings.rules, settings.clock),
    open: new OpenRequests(),
  };
}
