/** The configuration of a mesh at this moment. */
export interface ConfigurationReading {
  /** Where it came from: `createMesh`, `mesh.reconfigure`, or the path of a file. */
  readonly source: string;
  /** Since when it is in force, in milliseconds since the epoch. */
  readonly sinceMs: number;
  /** The time since then, in milliseconds. */
  readonly ageMs: number;
  /** Options that its source has otherwise, and that only a new mesh takes. */
  readonly restart: readonly string[];
  /** A newer one that was refused; `undefined` where the newest is in force. */
  readonly refusal: { readonly source: string; readonly error: string; readonly atMs: number } | undefined;
}
