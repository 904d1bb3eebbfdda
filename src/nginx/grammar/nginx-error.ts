import { DocumentError } from "../../documents/document-error.ts";

/** A file of nginx cannot be used. The message says which file, line and column, which directive, and why. */
export class NginxError extends DocumentError {
  override readonly name = "NginxError";
}
