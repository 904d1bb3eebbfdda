import { DocumentError } from "../../documents/document-error.ts";

/** A file of Envoy cannot be used. The message says why, which field, and where that stands: `envoy.yaml:3:5: Cluster.connect_timeout must be …`. */
export class EnvoyError extends DocumentError {
  override readonly name = "EnvoyError";
}
