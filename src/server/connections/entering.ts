/** Connections that were accepted and are not the server's yet, since their handshake is under way. */
export interface Entering {
  readonly size: number;
  /** Ends them. */
  end(): void;
}
