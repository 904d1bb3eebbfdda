/** A request as rules see it. */
export interface AuthorizationRequest {
  readonly method: string;
  /** Without query. */
  readonly path: string;
  /** All values of a header, by its name in lower case. */
  headerValues(name: string): readonly string[];
}
