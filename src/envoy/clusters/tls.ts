import { quoted } from "../../core/text/clean-text.ts";
import { downstreamTlsType, upstreamTlsType } from "../schema/tls.ts";
import { given, type Options } from "../text/data.ts";
import { typeOf } from "../text/kinds.ts";
import type { Part } from "../text/part.ts";
import type { Resources } from "../text/resources.ts";

const secretType = "envoy.extensions.transport_sockets.tls.v3.Secret";

/** Where the secrets of a file are. */
export interface Secrets {
  readonly resources: Resources;
  /** Those of the file itself. */
  readonly own: readonly Part[];
}

/** The TLS of a cluster: what the whole mesh has of it, and what the service has. */
export interface ClusterTls {
  readonly peer: Options;
  readonly ca: string | undefined;
  readonly crl: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly minVersion: string | undefined;
  readonly part: Part;
}

/** The TLS towards the instances of a cluster; `undefined` where they are spoken to without. */
export function tlsOf(cluster: Part, secrets: Secrets): ClusterTls | undefined {
  const context = cluster.at("transport_socket", "typed_config");
  if (context === undefined || typeOf(context) !== upstreamTlsType) return undefined;
  const common = context.at("common_tls_context");
  const certificate = certificateOf(common, secrets);
  const validation = validationOf(common, secrets);
  if (validation === undefined)
    context.notice(
      "difference",
      "UpstreamTlsContext",
      "Envoy verifies no instance without a validation_context; here each must have a certificate of a known authority, with its name",
    );
  if (validation?.at("system_root_certs") !== undefined)
    validation
      .at("system_root_certs")
      ?.notice("difference", "CertificateValidationContext.system_root_certs", "they are the authorities that Node.js trusts");
  const sni = context.text("sni") || undefined;
  return {
    peer: given({ mode: "strict", ...namesOf(validation, sni) }),
    ca: fileOf(validation?.at("trusted_ca"), "trusted_ca"),
    crl: fileOf(validation?.at("crl"), "crl"),
    cert: fileOf(certificate?.at("certificate_chain"), "certificate_chain"),
    key: fileOf(certificate?.at("private_key"), "private_key"),
    minVersion: minVersionOf(common),
    part: context,
  };
}

function minVersionOf(common: Part | undefined): string | undefined {
  const version = common?.text("tls_params", "tls_minimum_protocol_version");
  if (version === "TLSv1_0" || version === "TLSv1_1")
    common
      ?.at("tls_params", "tls_minimum_protocol_version")
      ?.notice("difference", "TlsParameters.tls_minimum_protocol_version", "TLS 1.2 is the least");
  return version === "TLSv1_3" ? version : undefined;
}

function certificateOf(common: Part | undefined, secrets: Secrets): Part | undefined {
  const [certificate, second] = common?.list("tls_certificates") ?? [];
  second?.refuse("CommonTlsContext.tls_certificates: a client has one certificate");
  const [sds, other] = common?.list("tls_certificate_sds_secret_configs") ?? [];
  other?.refuse("CommonTlsContext.tls_certificate_sds_secret_configs: a client has one certificate");
  return certificate ?? (sds === undefined ? undefined : secretOf(sds, secrets, "tls_certificate"));
}

function validationOf(common: Part | undefined, secrets: Secrets): Part | undefined {
  const combined = common?.at("combined_validation_context");
  const sds = common?.at("validation_context_sds_secret_config") ?? combined?.at("validation_context_sds_secret_config");
  const dynamic = sds === undefined ? undefined : secretOf(sds, secrets, "validation_context");
  const fixed = common?.at("validation_context") ?? combined?.at("default_validation_context");
  if (fixed === undefined || dynamic === undefined) return fixed ?? dynamic;
  return fixed.anew(new Map([...(fixed.fields ?? []), ...(dynamic.fields ?? [])]));
}

/** A secret by its name: of the file itself, or of the file that its source names. */
function secretOf(config: Part, { resources, own }: Secrets, field: string): Part {
  const name = config.text("name") ?? "";
  const source = config.at("sds_config");
  const secret = source === undefined ? own.find((each) => each.peek("name") === name) : resources.named(source, secretType, "name", name);
  return secret?.at(field) ?? config.refuse(`there is no secret ${quoted(name)} with a ${field}`);
}

/** The name and the id that an instance must have, by what its certificate must carry. */
function namesOf(validation: Part | undefined, sni: string | undefined): Options {
  const ids: string[] = [];
  const names: string[] = [];
  for (const each of validation?.list("match_typed_subject_alt_names") ?? []) {
    const exact =
      each.text("matcher", "exact") ?? each.refuse("SubjectAltNameMatcher.matcher must be exact: a pattern of names would let others in");
    const type = each.text("san_type");
    if (type === "URI" && exact.startsWith("spiffe://")) ids.push(exact);
    else if (type === "DNS" || type === "IP_ADDRESS") names.push(exact);
    else
      each.refuse(
        `SubjectAltNameMatcher.san_type: instances are known by a name, an address or a SPIFFE id, not by ${String(type)} ${quoted(exact)}`,
      );
  }
  const [name, second] = names;
  if (second !== undefined || (name !== undefined && sni !== undefined && name !== sni))
    validation?.refuse(
      `the certificate must carry the name that the handshake asks for: ${quoted(sni ?? name)}, not ${quoted(second ?? name)}`,
    );
  const [id] = ids;
  return given({ name: sni ?? name, id: ids.length > 1 ? ids : id });
}

/** The file of a text; a text in the file itself is a secret, or cannot be renewed. */
function fileOf(source: Part | undefined, field: string): string | undefined {
  if (source === undefined) return undefined;
  const variable = source.text("environment_variable");
  if (variable !== undefined) return `\${env:${variable}}`;
  const path = source.text("filename");
  return (
    path ??
    source.refuse(
      `${field} must be a file, not ${[...(source.fields ?? [])].map(([name]) => name).join(", ")}: what stands in the configuration itself can be read by all, and cannot be renewed`,
    )
  );
}

/** Whether a chain of a listener serves TLS. */
export function isTls(socket: Part | undefined): boolean {
  return typeOf(socket?.at("typed_config")) === downstreamTlsType;
}
