import { renamedTypes } from "../old/renamed-types.ts";
import { anyOf } from "../text/kinds.ts";
import type { Kind } from "../text/message.ts";
import { cluster } from "./cluster.ts";
import { loadAssignment } from "./endpoint.ts";
import { listener } from "./listener.ts";
import { routeConfiguration } from "./route.ts";
import { secret } from "./tls.ts";

/** A resource of a file of its own. */
export const resource: Kind = anyOf(
  () => ({
    "envoy.config.cluster.v3.Cluster": cluster,
    "envoy.config.endpoint.v3.ClusterLoadAssignment": loadAssignment,
    "envoy.config.listener.v3.Listener": listener,
    "envoy.config.route.v3.RouteConfiguration": routeConfiguration,
    "envoy.extensions.transport_sockets.tls.v3.Secret": secret,
  }),
  renamedTypes,
);
