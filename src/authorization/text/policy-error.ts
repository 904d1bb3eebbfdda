import { DocumentError } from "../../documents/document-error.ts";

/** A policy cannot be used. The message says why, which part of it, and where that stands. */
export class PolicyError extends DocumentError {
  override readonly name = "PolicyError";
}
