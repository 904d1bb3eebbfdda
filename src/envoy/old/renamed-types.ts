/** Types of Envoy's second API, and what they are called in v3. */
export const renamedTypes: Readonly<Record<string, string>> = {
  "envoy.api.v2.auth.UpstreamTlsContext": "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
  "envoy.api.v2.auth.DownstreamTlsContext": "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
  "envoy.api.v2.auth.Secret": "envoy.extensions.transport_sockets.tls.v3.Secret",
  "envoy.api.v2.Cluster": "envoy.config.cluster.v3.Cluster",
  "envoy.api.v2.Listener": "envoy.config.listener.v3.Listener",
  "envoy.api.v2.RouteConfiguration": "envoy.config.route.v3.RouteConfiguration",
  "envoy.api.v2.ClusterLoadAssignment": "envoy.config.endpoint.v3.ClusterLoadAssignment",
  "envoy.config.filter.network.http_connection_manager.v2.HttpConnectionManager":
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
  "envoy.config.filter.http.router.v2.Router": "envoy.extensions.filters.http.router.v3.Router",
  "envoy.config.filter.http.fault.v2.HTTPFault": "envoy.extensions.filters.http.fault.v3.HTTPFault",
};
