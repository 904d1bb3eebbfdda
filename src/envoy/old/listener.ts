import { quoted } from "../../core/text/clean-text.ts";
import type { Part } from "../text/part.ts";
import { tlsSocket } from "./cluster.ts";

const managerName = "envoy.filters.network.http_connection_manager";
const managerType = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const routerType = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";

/** Names that the filter has had, or that were written for it. */
const oldNames: ReadonlySet<unknown> = new Set(["envoy.http_connection_manager", "http_connection_manager", managerName]);

/** Name, type and configuration of the filter that serves HTTP, in the form of v3. */
export function renewNetworkFilter(part: Part): void {
  const named = part.at("name");
  const slip = part.take("ty");
  if (slip !== undefined)
    slip.notice("slip", "Filter.ty", `there is no such field; the type stands in typed_config: { "@type": ${managerType} }`);
  const isManager = oldNames.has(named?.value) || slip !== undefined;
  if (!isManager || named === undefined) return;
  if (named.value !== managerName) {
    named.notice("v2", "Filter.name", `${quoted(named.value)} is of the second API; its name in v3 is ${managerName}`);
    part.set("name", named.anew(managerName));
  }
  const config = part.take("config");
  if (config === undefined) return;
  config.notice("v2", "Filter.config", `in v3 it is typed_config, which begins with "@type": ${managerType}`);
  const typed = config.anew(new Map([["@type", config.anew(managerType)], ...(config.fields ?? [])]));
  part.set("typed_config", typed);
}

/** Slips in the filter that serves HTTP, and what v3 demands of it. */
export function renewManager(part: Part): void {
  const codec = part.take("codec");
  if (codec !== undefined) {
    const type = String(codec.value).toUpperCase();
    codec.notice("slip", "HttpConnectionManager.codec", `there is no such field; it is read as codec_type: ${type}`);
    part.set("codec_type", codec.anew(type));
  }
  // Not said: Envoy demands them, and they change nothing here.
  if (part.at("stat_prefix") === undefined && part.at("statPrefix") === undefined) part.set("stat_prefix", part.anew("ingress_http"));
  const filters = part.at("http_filters") ?? part.at("httpFilters");
  const router = { name: "envoy.filters.http.router", typed_config: { "@type": routerType } };
  if (filters === undefined) part.set("http_filters", part.madeOf([router]));
}

/** `tls_context` of a chain became a transport socket. */
export function renewFilterChain(part: Part): void {
  const old = part.take("tls_context");
  if (old === undefined) return;
  old.notice("v2", "FilterChain.tls_context", "in v3 it is transport_socket, with a DownstreamTlsContext as its typed_config");
  part.set("transport_socket", tlsSocket(old, "DownstreamTlsContext"));
}
