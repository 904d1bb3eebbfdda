import { list, text } from "../text/kinds.ts";
import { type Kind, message } from "../text/message.ts";
import { cluster } from "./cluster.ts";
import { resolverConfig } from "./dns.ts";
import { listener } from "./listener.ts";
import { secret } from "./tls.ts";
import { configSource, locality } from "./values.ts";

const ofProxy = "it is a setting of the proxy as a process";
const observing = "figures and traces are those of the mesh's observers";

/** A whole file of Envoy. */
export const bootstrap: Kind = message("Bootstrap", () => ({
  fields: {
    static_resources: message("StaticResources", () => ({
      fields: { clusters: list(cluster), listeners: list(listener), secrets: list(secret) },
      unread: {
        "no cluster uses the secret; TLS towards callers is the gateway's": "secrets",
        "the routes of another listener count": "listeners",
      },
    })),
    dynamic_resources: message("DynamicResources", () => ({
      fields: { cds_config: configSource, lds_config: configSource },
      missing: { "resources come from files here, and not from a control plane": "ads_config cds_resources_locator lds_resources_locator" },
    })),
    node: message("Node", () => ({
      fields: { locality },
      unread: { "the zone of the process counts where cluster_manager has a local_cluster_name": "locality" },
      nothing: {
        "there is no control plane to tell it":
          "id cluster metadata dynamic_parameters user_agent_name extensions client_features listening_addresses user_agent_version user_agent_build_version",
      },
    })),
    cluster_manager: message("ClusterManager", () => ({
      fields: { local_cluster_name: text },
      nothing: { [observing]: "outlier_detection load_stats_config", [ofProxy]: "enable_deferred_cluster_creation" },
      missing: { "the operating system chooses the address that connections come from": "upstream_bind_config" },
    })),
    typed_dns_resolver_config: resolverConfig,
  },
  unread: {
    "no name of the file is asked for at a server of its own choice": "typed_dns_resolver_config",
  },
  differs: { "values of the runtime are not read; each share is its default": "layered_runtime runtime" },
  nothing: {
    [ofProxy]:
      "admin node_context_params flags_path watchdog watchdogs overload_manager default_socket_interface bootstrap_extensions fatal_actions inline_headers default_regex_engine listener_manager memory_allocator_manager enable_worker_cpu_affinity max_cached_entry_idle_duration",
    [observing]:
      "stats_flush_interval stats_sinks deferred_stat_options stats_config tracing enable_dispatcher_stats stats_server_version_override perf_tracing_file_path application_log_config stats_flush_on_admin stats_eviction_interval log_format enable_deferred_creation_stats",
    "there is no control plane":
      "xds_delegate_extension xds_config_tracker_extension grpc_async_client_manager_config certificate_provider_instances",
  },
  missing: {
    "there is no control plane": "hds_config config_sources default_config_source",
    "headers of the mesh have names of their own": "header_prefix",
    "it is typed_dns_resolver_config now": "use_tcp_for_dns_lookups dns_resolution_config",
  },
}));
