import { DocumentError } from "../documents/document-error.ts";

/** A configuration cannot be used. The message says why, which option, and where that stands: `mesh.yaml:3:5: retry.maxAttempts must be …`. */
export class ConfigError extends DocumentError {
  override readonly name = "ConfigError";
}
