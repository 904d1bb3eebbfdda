import type { Directive } from "../grammar/directive.ts";

/** The ways in which nginx chooses a server. */
export type NginxMethod = "roundRobin" | "leastConnections" | "random" | "randomTwo" | "hash" | "consistentHash" | "ipHash";

/** A server of an upstream as it stands in a file. */
export interface ServerSpec {
  /** The address as it is written: `app:8080`, `unix:/run/app.sock`. */
  readonly server: string;
  readonly host: string;
  readonly port: number;
  readonly socketPath: string | undefined;
  readonly weight: number;
  readonly maxConnections: number;
  readonly maxFails: number;
  readonly failTimeoutMs: number;
  readonly isBackup: boolean;
  readonly isDown: boolean;
  readonly directive: Directive;
}

/** An upstream as it stands in a file, or as a `proxy_pass` to an address implies it. */
export interface UpstreamSpec {
  /** The name in the file; of an implied one its address. */
  readonly name: string;
  /** The name as a service of the mesh. */
  readonly service: string;
  readonly method: NginxMethod;
  /** The key of a hash. */
  readonly key: string | undefined;
  readonly servers: readonly ServerSpec[];
  readonly idleTimeoutMs: number | undefined;
  readonly directive: Directive;
}
