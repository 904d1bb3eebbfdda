/** A remark on a part of a file that was read: what is otherwise here than in Envoy, or was written in another form than Envoy takes. */
export interface EnvoyNotice {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The field, as `Cluster.hosts`. */
  readonly field: string;
  /**
   * `slip`: Envoy takes this in no version; it was read as what it stands for. `v2`: the form of Envoy's second API, which its current versions refuse.
   * `nothing`: it has no meaning in a process of its own. `difference`: inmesh does it otherwise.
   */
  readonly kind: "slip" | "v2" | "nothing" | "difference";
  readonly message: string;
}

/** `envoy.yaml:6:5: warning: …`, as tools show it. */
export function noticeText({ file, line, column, field, message }: EnvoyNotice): string {
  return `${file}:${line}:${column}: ${field}: ${message}`;
}
