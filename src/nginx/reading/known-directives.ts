import { quoted } from "../../core/text/clean-text.ts";
import { nearestName } from "../../suggestions/nearest-name.ts";
import { type Directive, faultOf } from "../grammar/directive.ts";

/** How a directive is taken: it is read, it has no meaning here (with the reason), or it is not supported (with the reason). */
export type Known = { readonly kind: "read" } | { readonly kind: "harmless" | "refused"; readonly reason: string };

const words = (text: string): readonly string[] => text.split(/\s+/).filter((word) => word !== "");

/** Directives that are read. */
const read = words(`
  http events server upstream location server_name listen include
  proxy_pass proxy_set_header proxy_hide_header proxy_pass_header add_header proxy_http_version proxy_connect_timeout proxy_read_timeout proxy_send_timeout
  proxy_next_upstream proxy_next_upstream_tries proxy_next_upstream_timeout proxy_ssl_name proxy_ssl_server_name proxy_ssl_verify
  proxy_ssl_trusted_certificate proxy_ssl_certificate proxy_ssl_certificate_key proxy_ssl_protocols proxy_redirect proxy_method
  return rewrite if set deny allow limit_except client_max_body_size default_type internal mirror error_page proxy_intercept_errors
  ssl_certificate ssl_certificate_key ssl proxy_cache root alias try_files index split_clients map
  zone keepalive least_conn random hash ip_hash sticky queue ntlm
`);

/** Directives that have no meaning here, by the reason. */
const harmless: Readonly<Record<string, readonly string[]>> = {
  "concerns the processes of nginx": words(`
    daemon master_process timer_resolution pid lock_file worker_processes debug_points user worker_priority worker_cpu_affinity worker_rlimit_nofile
    worker_rlimit_core worker_shutdown_timeout working_directory env load_module thread_pool pcre_jit ssl_engine worker_connections use multi_accept accept_mutex
    accept_mutex_delay debug_connection worker_aio_requests error_log variables_hash_max_size variables_hash_bucket_size server_names_hash_max_size
    server_names_hash_bucket_size types_hash_max_size types_hash_bucket_size map_hash_max_size map_hash_bucket_size proxy_headers_hash_max_size
    proxy_headers_hash_bucket_size referer_hash_max_size referer_hash_bucket_size connection_pool_size request_pool_size uninitialized_variable_warn
    devpoll_changes devpoll_events epoll_events eventport_events iocp_threads post_acceptex acceptex_read kqueue_changes kqueue_events subrequest_output_buffer_size
    ssl_object_cache_inheritable quic_bpf quic_host_key quic_active_connection_id_limit http2_pool_size http2_streams_index_size`),
  "logs are the program's own": words("access_log log_format open_log_file_cache log_not_found log_subrequest rewrite_log"),
  "no files are served": words(`
    types sendfile sendfile_max_chunk tcp_nopush aio aio_write read_ahead directio directio_alignment output_buffers open_file_cache open_file_cache_valid
    open_file_cache_min_uses open_file_cache_errors open_file_cache_events etag if_modified_since max_ranges autoindex autoindex_exact_size autoindex_format
    autoindex_localtime disable_symlinks charset charset_types source_charset override_charset server_name_in_redirect port_in_redirect`),
  "the mesh's own connections": words(`
    tcp_nodelay proxy_buffering proxy_buffer_size proxy_buffers proxy_busy_buffers_size proxy_request_buffering proxy_temp_path proxy_max_temp_file_size
    proxy_temp_file_write_size proxy_socket_keepalive proxy_ssl_session_reuse proxy_ssl_ciphers proxy_ssl_conf_command proxy_send_lowat proxy_socket_rcvbuf proxy_socket_sndbuf proxy_force_ranges proxy_ignore_headers
    keepalive_requests keepalive_time resolver resolver_timeout chunked_transfer_encoding msie_padding msie_refresh`),
  "a limit of the gateway, which has options of its own": words(`
    client_header_timeout client_header_buffer_size large_client_header_buffers client_body_buffer_size client_body_timeout client_body_temp_path
    client_body_in_file_only client_body_in_single_buffer send_timeout send_lowat postpone_output keepalive_timeout keepalive_disable lingering_close lingering_time
    lingering_timeout reset_timedout_connection ignore_invalid_headers underscores_in_headers merge_slashes absolute_redirect server_tokens recursive_error_pages
    http2 http2_max_concurrent_streams http2_recv_buffer_size http2_chunk_size http2_body_preread_size http2_idle_timeout http2_recv_timeout http2_max_requests
    http2_max_field_size http2_max_header_size http2_push_preload http2_push http2_max_concurrent_pushes http3 http3_hq http3_max_concurrent_streams http3_stream_buffer_size quic_retry quic_gso max_headers client_body_early_read keepalive_min_timeout early_hints ssl_ech_file ssl_certificate_compression
    ssl_ocsp_responder ssl_ocsp_cache ssl_protocols ssl_ciphers
    ssl_prefer_server_ciphers ssl_session_cache ssl_session_tickets ssl_session_timeout ssl_session_ticket_key ssl_dhparam ssl_ecdh_curve ssl_buffer_size ssl_stapling
    ssl_stapling_verify ssl_stapling_file ssl_stapling_responder ssl_trusted_certificate ssl_early_data ssl_conf_command set_real_ip_from real_ip_header real_ip_recursive`),
  "responses come as instances make them": words(`
    gzip gzip_vary gzip_proxied gzip_comp_level gzip_buffers gzip_http_version gzip_min_length gzip_types gzip_disable gzip_static gzip_window gzip_hash postpone_gzipping gzip_no_buffer gunzip gunzip_buffers brotli brotli_comp_level
    brotli_types brotli_static brotli_buffers brotli_min_length`),
  "nothing is cached": words(`
    proxy_cache_path proxy_cache_key proxy_cache_bypass proxy_no_cache proxy_cache_valid proxy_cache_min_uses proxy_cache_max_range_offset proxy_cache_use_stale
    proxy_cache_methods proxy_cache_lock proxy_cache_lock_timeout proxy_cache_lock_age proxy_cache_revalidate proxy_cache_convert_head proxy_cache_background_update`),
  "a caller that gives up ends its call": words("proxy_ignore_client_abort"),
  "zones of limits that nothing uses": words(
    "limit_req_zone limit_conn_zone limit_req_log_level limit_conn_log_level limit_req_status limit_conn_status",
  ),
};

/** Directives that are not supported, by the reason. */
const refused: Readonly<Record<string, readonly string[]>> = {
  "it speaks another protocol than HTTP to instances": words("fastcgi_pass uwsgi_pass scgi_pass memcached_pass grpc_pass stream mail"),
  "it limits requests: use the limits of the gateway or of the server": words(
    "limit_req limit_conn limit_rate limit_rate_after limit_req_dry_run limit_conn_dry_run proxy_limit_rate",
  ),
  "it decides which callers are let in: use authorization and authentication of the server or the gateway": words(`
    auth_basic auth_basic_user_file auth_request auth_request_set satisfy auth_delay secure_link secure_link_md5 secure_link_secret valid_referers auth_jwt auth_jwt_key_file
    ssl_verify_client ssl_verify_depth ssl_client_certificate ssl_crl ssl_ocsp ssl_reject_handshake dav_access create_full_put_path min_delete_depth ssl_password_file`),
  "it changes bodies":
    words(`sub_filter sub_filter_once sub_filter_types sub_filter_last_modified addition_types add_before_body add_after_body ssi ssi_types xslt_stylesheet xslt_param xslt_string_param xslt_types xslt_last_modified xml_entities xml_external_entities charset_map ssi_silent_errors
    ssi_ignore_recycled_buffers ssi_min_file_chunk ssi_value_length ssi_last_modified proxy_set_body image_filter image_filter_jpeg_quality image_filter_webp_quality image_filter_sharpen
    image_filter_transparency image_filter_interlace image_filter_buffer add_trailer`),
  "it serves files or pages of nginx": words(
    "expires stub_status dav_methods mp4 mp4_buffer_size mp4_max_buffer_size mp4_start_key_frame flv empty_gif random_index autoindex_page slice browser",
  ),
  "it runs code of another language": words(`
    access_by_lua_block content_by_lua_block rewrite_by_lua_block set_by_lua_block header_filter_by_lua_block body_filter_by_lua_block log_by_lua_block init_by_lua_block
    init_worker_by_lua_block balancer_by_lua_block ssl_certificate_by_lua_block exit_worker_by_lua_block access_by_lua_file content_by_lua_file rewrite_by_lua_file lua_package_path
    lua_package_cpath lua_shared_dict js_import js_content js_set perl perl_set perl_modules perl_require more_set_headers more_clear_headers modsecurity modsecurity_rules_file`),
  "it rewrites what instances answer": words(
    "proxy_cookie_domain proxy_cookie_path proxy_cookie_flags proxy_store proxy_store_access userid userid_name userid_path userid_service userid_domain userid_expires userid_flags userid_p3p userid_mark",
  ),
  "it is not supported": words(`
    geo geoip2 geoip_country geoip_org geoip_city geoip_proxy geoip_proxy_recursive degradation degrade modern_browser_value ancient_browser_value
    add_header_inherit add_trailer_inherit proxy_pass_trailers tunnel_pass least_time break post_action proxy_bind proxy_pass_request_headers proxy_pass_request_body proxy_ssl_crl proxy_ssl_password_file
    proxy_ssl_verify_depth proxy_cache_purge modern_browser ancient_browser mirror_request_body opentracing opentelemetry otel_trace health_check status_zone api
    state ssl_certificate_cache proxy_ssl_certificate_cache`),
};

const table: ReadonlyMap<string, Known> = new Map<string, Known>([
  ...read.map((name): [string, Known] => [name, { kind: "read" }]),
  ...entriesOf("harmless", harmless),
  ...entriesOf("refused", refused),
]);

function entriesOf(kind: "harmless" | "refused", groups: Readonly<Record<string, readonly string[]>>): readonly [string, Known][] {
  return Object.entries(groups).flatMap(([reason, names]) => names.map((name): [string, Known] => [name, { kind, reason }]));
}

/** Of no use without the `_pass` of the same protocol, which is refused. */
const ofOtherProtocols = /^(?:fastcgi|uwsgi|scgi|memcached|grpc|tunnel)_\w+$/;
const otherProtocol: Known = { kind: "harmless", reason: "concerns another protocol" };

/** The names that are read. */
export const readNames: readonly string[] = read;

/** The names that have no meaning here. */
export const harmlessNames: readonly string[] = Object.values(harmless).flat();

/**
 * How a directive is taken.
 * @throws NginxError for one that nginx has not, with the one that was probably meant.
 */
export function knownAs(directive: Directive): Known {
  const known = table.get(directive.name);
  if (known !== undefined) return known;
  if (ofOtherProtocols.test(directive.name)) return otherProtocol;
  const nearest = nearestName(directive.name, [...table.keys()]);
  throw faultOf(
    directive,
    `${quoted(directive.name)} is no directive that is known${nearest === undefined ? "" : `; did you mean ${nearest}?`}`,
  );
}
