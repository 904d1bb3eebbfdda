import type { Part } from "../text/part.ts";

const httpOptionsType = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
const v3Options = `typed_extension_protocol_options["${httpOptionsType}"]`;

/** Writes the old forms of a cluster in that of v3. */
export function renewCluster(part: Part): void {
  renewHosts(part);
  renewProtocol(part);
  renewTls(part);
  const at = part.take("max_requests_per_connection");
  if (at !== undefined) {
    at.notice("v2", "Cluster.max_requests_per_connection", `in v3 it stands in ${v3Options}.common_http_protocol_options`);
    commonOptions(part, at).set("max_requests_per_connection", at);
  }
  chooseVersion(part);
}

const versions = ["explicit_http_config", "auto_config", "use_downstream_protocol_config"];

/** Envoy demands that options of HTTP choose a version. Without a choice it was HTTP/1.1. */
function chooseVersion(part: Part): void {
  const options = part.at("typed_extension_protocol_options", httpOptionsType);
  if (options === undefined || versions.some((name) => options.at(name) !== undefined)) return;
  if (["explicitHttpConfig", "autoConfig", "useDownstreamProtocolConfig"].some((name) => options.at(name) !== undefined)) return;
  options.set("explicit_http_config", options.madeOf({ http_protocol_options: {} }));
}

/** `hosts`, a list of addresses, became `load_assignment`. */
function renewHosts(part: Part): void {
  const hosts = part.take("hosts");
  if (hosts === undefined) return;
  hosts.notice(
    "v2",
    "Cluster.hosts",
    "in v3 it is load_assignment: { cluster_name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] }",
  );
  // Documents of the first days had one address in the place of the list.
  const addresses = Array.isArray(hosts.value) ? hosts.value : [hosts];
  const endpoints = addresses.map((address) => {
    const endpoint = address.anew(new Map([["address", address]]));
    return address.anew(new Map([["endpoint", endpoint]]));
  });
  const locality = hosts.anew(new Map([["lb_endpoints", hosts.anew(endpoints)]]));
  const cluster = part.at("name") ?? hosts.anew("");
  const assignment = hosts.anew(
    new Map<string, Part>([
      ["cluster_name", cluster.anew(cluster.value)],
      ["endpoints", hosts.anew([locality])],
    ]),
  );
  if (part.at("load_assignment") !== undefined)
    hosts.refuse("Cluster.hosts and Cluster.load_assignment are two lists of endpoints; one of them must go");
  part.set("load_assignment", assignment);
}

const protocols = ["http_protocol_options", "http2_protocol_options"];

/** Options of HTTP, which became an extension. */
function renewProtocol(part: Part): void {
  const slip = part.take("http2_protocol");
  if (slip !== undefined) {
    slip.notice(
      "slip",
      "Cluster.http2_protocol",
      `there is no such field; it is read as http2_protocol_options, in v3 ${v3Options}: { explicit_http_config: { http2_protocol_options: {} } }`,
    );
    part.set("http2_protocol_options", slip);
  }
  const selection = part.take("protocol_selection");
  if (selection !== undefined)
    selection.notice("v2", "Cluster.protocol_selection", `in v3 it is ${v3Options}: { use_downstream_protocol_config: … }`);
  const isDownstream = selection?.value === "USE_DOWNSTREAM_PROTOCOL";
  const [old] = protocols.toReversed().flatMap((name) => part.at(name) ?? []);
  const given = protocols.flatMap((name) => {
    const options = part.take(name);
    if (options === undefined) return [];
    if (options !== slip) options.notice("v2", `Cluster.${name}`, `in v3 it stands in ${v3Options}.explicit_http_config`);
    return [[name, options] as const];
  });
  if (old !== undefined) {
    // Without the choice of the downstream's, HTTP/2 went before HTTP/1.1 where both were set.
    const chosen = isDownstream ? given : given.slice(-1);
    httpOptions(part, old).set(isDownstream ? "use_downstream_protocol_config" : "explicit_http_config", old.anew(new Map(chosen)));
  }
  for (const name of ["common_http_protocol_options", "upstream_http_protocol_options"]) {
    const options = part.take(name);
    if (options === undefined) continue;
    options.notice("v2", `Cluster.${name}`, `in v3 it stands in ${v3Options}`);
    httpOptions(part, options).set(name, options);
  }
}

/** The options of HTTP as an extension. */
function httpOptions(part: Part, origin: Part): Part {
  const all = part.at("typed_extension_protocol_options") ?? origin.anew(new Map());
  part.set("typed_extension_protocol_options", all);
  const known = all.at(httpOptionsType);
  if (known !== undefined) return known;
  const made = origin.anew(new Map([["@type", origin.anew(`type.googleapis.com/${httpOptionsType}`)]]));
  all.set(httpOptionsType, made);
  return made;
}

function commonOptions(part: Part, origin: Part): Part {
  const options = httpOptions(part, origin);
  const common = options.at("common_http_protocol_options") ?? origin.anew(new Map());
  options.set("common_http_protocol_options", common);
  return common;
}

/** `tls_context` became a transport socket. */
function renewTls(part: Part): void {
  const old = part.take("tls_context");
  if (old === undefined) return;
  old.notice("v2", "Cluster.tls_context", "in v3 it is transport_socket, with an UpstreamTlsContext as its typed_config");
  part.set("transport_socket", tlsSocket(old, "UpstreamTlsContext"));
}

/** A context of TLS as the transport socket that it became. */
export function tlsSocket(context: Part, kind: "UpstreamTlsContext" | "DownstreamTlsContext"): Part {
  const type = context.anew(`type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.${kind}`);
  const typed = context.anew(new Map([["@type", type], ...(context.fields ?? [])]));
  return context.anew(
    new Map([
      ["name", context.anew("envoy.transport_sockets.tls")],
      ["typed_config", typed],
    ]),
  );
}
