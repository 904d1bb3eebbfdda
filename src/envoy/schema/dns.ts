import { anyOf, flag, label, list } from "../text/kinds.ts";
import { type Kind, message } from "../text/message.ts";
import { address } from "./values.ts";

const prefix = "envoy.extensions.network.dns_resolver.";

/** The type of the resolver that asks these servers. */
export const caresType = `${prefix}cares.v3.CaresDnsResolverConfig`;
/** The type of the resolver of the operating system. */
export const systemResolverType = `${prefix}getaddrinfo.v3.GetAddrInfoDnsResolverConfig`;

const lookupOptions = message("DnsResolverOptions", () => ({
  fields: { use_tcp_for_dns_lookups: flag },
  nothing: { "names are asked for as they are written": "no_default_search_domain" },
}));

/** The servers that are asked for names. */
export const resolverConfig: Kind = message("TypedExtensionConfig", () => ({
  fields: {
    name: label,
    typed_config: anyOf(() => ({
      [caresType]: message("CaresDnsResolverConfig", () => ({
        fields: { resolvers: list(address), dns_resolver_options: lookupOptions },
        nothing: {
          "servers are asked in their order":
            "filter_unroutable_families use_resolvers_as_fallback udp_max_queries query_timeout_seconds query_tries rotate_nameservers edns0_max_payload_size max_udp_channel_duration reinit_channel_on_timeout",
        },
      })),
      [systemResolverType]: message("GetAddrInfoDnsResolverConfig", () => ({
        fields: {},
        nothing: { "the mesh asks in its own way": "num_retries num_resolver_threads" },
      })),
    })),
  },
}));
