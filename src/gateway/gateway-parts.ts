import type { MeshDoor } from "../core/stages/mesh-door.ts";
import type { Networks } from "../server/inbound/networks.ts";
import type { GatewaySettings } from "./gateway-options.ts";
import type { HeaderKinds } from "./header-kinds.ts";
import type { OpenRequests } from "./open-requests.ts";
import type { Guards } from "./rules/guards.ts";

/** The parts that all requests of a gateway share. */
export interface GatewayParts {
  readonly door: MeshDoor;
  readonly settings: GatewaySettings;
  readonly kinds: HeaderKinds;
  readonly trusted: Networks;
  /** `undefined` where no rule demands anything. */
  readonly guards: Guards | undefined;
  /** Those that began by these parts. */
  readonly open: OpenRequests;
}
