import { renamedTypes } from "../old/renamed-types.ts";
import { anyOf, choice, flag, inert, label, list, marker, settled, text } from "../text/kinds.ts";
import { type Kind, message } from "../text/message.ts";
import { configSource, dataSource, stringMatcher } from "./values.ts";

/** The type of the context of TLS towards instances. */
export const upstreamTlsType = "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext";
export const downstreamTlsType = "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext";
const rawType = "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer";

const providers = "certificates come from files, or from an agent by the identity of the mesh";

export const tlsCertificate: Kind = message("TlsCertificate", () => ({
  fields: { certificate_chain: dataSource, private_key: dataSource },
  nothing: { "files are followed by themselves": "watched_directory", "it is for servers": "ocsp_staple signed_certificate_timestamp" },
  missing: { "keys are PEM files without a password": "pkcs12 private_key_provider password", "it is set for the context": "tls_params" },
}));

const subjectMatcher = message("SubjectAltNameMatcher", () => ({
  fields: { san_type: choice(["SAN_TYPE_UNSPECIFIED", "EMAIL", "DNS", "URI", "IP_ADDRESS"]), matcher: stringMatcher },
  missing: { "names of other kinds are not known": "oid" },
}));

export const validationContext: Kind = message("CertificateValidationContext", () => ({
  fields: {
    trusted_ca: dataSource,
    system_root_certs: marker,
    match_typed_subject_alt_names: list(subjectMatcher),
    crl: dataSource,
    trust_chain_verification: settled(["VERIFY_TRUST_CHAIN"]),
  },
  nothing: { "files are followed by themselves": "watched_directory", "it is for servers": "suppress_client_ca_list" },
  missing: {
    [providers]: "ca_certificate_provider_instance custom_validator_config",
    "certificates are judged by their chain and names":
      "verify_certificate_spki verify_certificate_hash require_signed_certificate_timestamp",
    "an expired certificate is never accepted": "allow_expired_certificate",
    "the whole chain is judged": "only_verify_leaf_cert_crl max_verify_depth",
  },
  renew(part) {
    const old = part.take("match_subject_alt_names") ?? part.take("verify_subject_alt_name");
    if (old === undefined || !Array.isArray(old.value)) return;
    old.notice("v2", "CertificateValidationContext", "in v3 names are match_typed_subject_alt_names, each with its san_type");
    const typed = old.value.map((each) => {
      const matcher = each.fields === undefined ? each.anew(new Map([["exact", each]])) : each;
      const isUri = String(matcher.at("exact")?.value ?? matcher.at("prefix")?.value ?? "").includes("://");
      return each.anew(
        new Map([
          ["san_type", each.anew(isUri ? "URI" : "DNS")],
          ["matcher", matcher],
        ]),
      );
    });
    part.set("match_typed_subject_alt_names", old.anew(typed));
  },
}));

const sdsSecret = message("SdsSecretConfig", () => ({ fields: { name: text, sds_config: configSource } }));

const commonTls = message("CommonTlsContext", () => ({
  fields: {
    tls_certificates: list(tlsCertificate),
    tls_certificate_sds_secret_configs: list(sdsSecret),
    validation_context: validationContext,
    validation_context_sds_secret_config: sdsSecret,
    combined_validation_context: message("CombinedCertificateValidationContext", () => ({
      fields: { default_validation_context: validationContext, validation_context_sds_secret_config: sdsSecret },
      missing: { [providers]: "validation_context_certificate_provider validation_context_certificate_provider_instance" },
    })),
    tls_params: message("TlsParameters", () => ({
      fields: {
        tls_minimum_protocol_version: choice(["TLS_AUTO", "TLSv1_0", "TLSv1_1", "TLSv1_2", "TLSv1_3"]),
      },
      differs: { "the newest version that both sides speak is used, TLS 1.3 too": "tls_maximum_protocol_version" },
      nothing: { "ciphers are those of Node.js": "cipher_suites ecdh_curves signature_algorithms compliance_policies" },
    })),
  },
  differs: { "the protocol of the service says what is offered: h1, h2 or, with auto, both": "alpn_protocols" },
  unread: {
    "the certificate that stands in the file itself goes before it": "tls_certificate_sds_secret_configs",
    "another validation context goes before it": "combined_validation_context validation_context",
  },
  missing: {
    [providers]:
      "tls_certificate_provider_instance custom_tls_certificate_selector tls_certificate_certificate_provider tls_certificate_certificate_provider_instance validation_context_certificate_provider validation_context_certificate_provider_instance custom_handshaker",
    "keys of sessions are never written down": "key_log",
  },
}));

export const upstreamTls: Kind = message("UpstreamTlsContext", () => ({
  fields: { common_tls_context: commonTls, sni: text },
  differs: {
    "the name of a handshake is that of the file (sni), or of the service; certificates are always verified":
      "auto_host_sni auto_sni_san_validation",
  },
  nothing: { "sessions are those of Node.js": "max_session_keys enforce_rsa_key_usage" },
  missing: { "a connection is negotiated once": "allow_renegotiation" },
}));

const serverSide = "it is of a server, whose TLS is the gateway's";

const downstreamTls = message("DownstreamTlsContext", () => ({
  fields: { common_tls_context: commonTls, require_client_certificate: flag },
  nothing: {
    [serverSide]:
      "require_sni disable_stateful_session_resumption session_timeout ocsp_staple_policy full_scan_certs_on_sni_mismatch prefer_client_ciphers session_ticket_keys session_ticket_keys_sds_secret_config disable_stateless_session_resumption",
  },
}));

/** How connections to instances are made. */
export const transportSocket: Kind = message("TransportSocket", () => ({
  fields: { name: label, typed_config: anyOf(() => ({ [upstreamTlsType]: upstreamTls, [rawType]: inert(marker) }), renamedTypes) },
}));

/** How connections to a listener are. */
export const listenerSocket: Kind = message("TransportSocket", () => ({
  fields: { name: label, typed_config: anyOf(() => ({ [downstreamTlsType]: downstreamTls, [rawType]: marker }), renamedTypes) },
}));

/** A secret, of the file itself or of one that it names. */
export const secret: Kind = message("Secret", () => ({
  fields: { name: label, tls_certificate: tlsCertificate, validation_context: validationContext },
  unread: { "no cluster uses it so": "tls_certificate validation_context" },
  missing: { "there is nothing that would use it": "session_ticket_keys generic_secret" },
}));
