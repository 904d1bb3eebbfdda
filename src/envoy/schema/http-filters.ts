import { anyOf, duration, flag, inert, label, list, mapOf, marker, text } from "../text/kinds.ts";
import { type Kind, message } from "../text/message.ts";
import { headerMatcher } from "./match.ts";
import { fractionalPercent, httpStatus } from "./values.ts";

const prefix = "envoy.extensions.filters.http.";

/** The types of the filters that mean something here. */
export const routerType = `${prefix}router.v3.Router`;
export const faultType = `${prefix}fault.v3.HTTPFault`;

const observing = "figures and traces are those of the mesh's observers";

/** Filters that change no request, by their types, and why they have no meaning here. */
const meaninglessTypes: Readonly<Record<string, string>> = {
  [`${prefix}grpc_stats.v3.FilterConfig`]: observing,
  [`${prefix}upstream_codec.v3.UpstreamCodec`]: "it is the end of the filters of a cluster",
  [`${prefix}tap.v3.Tap`]: observing,
  "stats.PluginConfig": observing,
  "io.istio.http.peer_metadata.Config": observing,
  "istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig": "the protocol of an instance is an option of the service",
};

const corsOfGateway = "rules of browsers are those of the gateway: give them to its route as cors";
const refusedTypes: Readonly<Record<string, string>> = {
  [`${prefix}jwt_authn.v3.JwtAuthentication`]: "tokens are verified by the serving side: use jwt of inmesh/jwt",
  [`${prefix}rbac.v3.RBAC`]: "requests are authorized by the serving side: write a policy for inbound.authorization",
  [`${prefix}ext_authz.v3.ExtAuthz`]: "calls are authorized in process: use authorize",
  [`${prefix}local_ratelimit.v3.LocalRateLimit`]: "rates are limited by the serving side: use inbound.rateLimit",
  [`${prefix}ratelimit.v3.RateLimit`]: "there is no service of rates",
  [`${prefix}lua.v3.Lua`]: "use an interceptor",
  [`${prefix}wasm.v3.Wasm`]: "use an interceptor",
  [`${prefix}compressor.v3.Compressor`]: "bodies are passed on as they came",
};

const fault = message("HTTPFault", () => ({
  fields: {
    delay: message("FaultDelay", () => ({
      fields: { fixed_delay: duration, percentage: fractionalPercent },
      missing: { "a delay is written in the file": "header_delay" },
    })),
    abort: message("FaultAbort", () => ({
      fields: { http_status: httpStatus, percentage: fractionalPercent },
      missing: { "an abort is written in the file": "header_abort response_body", "there is no gRPC": "grpc_status" },
    })),
    headers: list(headerMatcher),
    upstream_cluster: text,
  },
  unread: { "each route has a fault of its own, or the fault neither delays nor aborts": "delay abort headers upstream_cluster" },
  nothing: {
    "there is no runtime that changes values":
      "delay_percent_runtime abort_percent_runtime delay_duration_runtime abort_http_status_runtime max_active_faults_runtime response_rate_limit_percent_runtime abort_grpc_status_runtime",
    [observing]: "disable_downstream_cluster_stats filter_metadata",
  },
  missing: {
    "only its own calls are known here": "downstream_nodes",
    "every marked call has its fault": "max_active_faults",
    "bodies are not slowed down": "response_rate_limit",
  },
}));

const router = message("Router", () => ({
  fields: {},
  nothing: {
    [observing]: "dynamic_stats start_child_span upstream_log upstream_log_options",
    "calls carry the headers of the mesh":
      "suppress_envoy_headers respect_expected_rq_timeout strict_check_headers suppress_grpc_request_failure_code_stats reject_connect_request_early_data",
  },
  missing: { "a filter of instances changes nothing": "upstream_http_filters" },
}));

const kinds = (isRoute: boolean) => (): Readonly<Record<string, Kind>> => ({
  [routerType]: inert(router),
  [faultType]: fault,
  [`${prefix}cors.v3.Cors`]: inert(marker),
  ...(isRoute
    ? {
        [`${prefix}cors.v3.CorsPolicy`]: (part: Parameters<Kind>[0], field: string) =>
          part.refuse(`${field} is not supported: ${corsOfGateway}`),
      }
    : {}),
  ...Object.fromEntries(
    Object.entries(meaninglessTypes).map(
      ([type, reason]) =>
        [
          type,
          (part, field) => {
            part.notice("nothing", field, reason);
            part.settle();
          },
        ] satisfies [string, Kind],
    ),
  ),
  ...Object.fromEntries(
    Object.entries(refusedTypes).map(
      ([type, reason]) =>
        [type, (part, field) => part.refuse(`${field}: the filter ${type} is not supported; ${reason}`)] satisfies [string, Kind],
    ),
  ),
});

/** A filter of a listener's requests. */
export const httpFilter: Kind = message("HttpFilter", () => ({
  fields: { name: label, typed_config: anyOf(kinds(false)), disabled: flag },
  nothing: { "a filter that is not known is always an error": "is_optional" },
  unread: {
    "no route passes the filter, or each has settings of its own for it": "typed_config",
    "the filter changes nothing": "disabled",
  },
  missing: { "filters stand in the file": "config_discovery" },
  renew: renewFilter,
}));

/** Settings of filters for a route or a virtual host, by the names of the filters. */
export const perRouteFilters: Kind = mapOf(anyOf(kinds(true)));

const oldFilters: Readonly<Record<string, readonly [name: string, type: string]>> = {
  "envoy.router": ["envoy.filters.http.router", routerType],
  "envoy.fault": ["envoy.filters.http.fault", faultType],
  "envoy.cors": ["envoy.filters.http.cors", `${prefix}cors.v3.Cors`],
  "envoy.filters.http.router": ["envoy.filters.http.router", routerType],
  "envoy.filters.http.fault": ["envoy.filters.http.fault", faultType],
  "envoy.filters.http.cors": ["envoy.filters.http.cors", `${prefix}cors.v3.Cors`],
};

/** `{ name: envoy.router, config: {} }` became a typed one. */
function renewFilter(part: Parameters<Kind>[0]): void {
  const named = part.at("name");
  const known = typeof named?.value === "string" && Object.hasOwn(oldFilters, named.value) ? oldFilters[named.value] : undefined;
  if (named === undefined || known === undefined) return;
  const [current, type] = known;
  if (named.value !== current) {
    named.notice("v2", "HttpFilter.name", `${String(named.value)} is of the second API; its name in v3 is ${current}`);
    part.set("name", named.anew(current));
  }
  const typed = part.at("typed_config") ?? part.at("typedConfig");
  if (typed !== undefined && (typed.fields?.size ?? 1) > 0) return;
  part.take("typedConfig");
  const config = part.take("config");
  (config ?? named).notice("v2", "HttpFilter.config", `in v3 it is typed_config: { "@type": type.googleapis.com/${type} }`);
  part.set("typed_config", named.anew(new Map([["@type", named.anew(`type.googleapis.com/${type}`)], ...(config?.fields ?? [])])));
}
