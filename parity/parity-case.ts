import type { Behaviour } from "./instances.ts";

/** A request of a case, sent once or several times. */
export interface Probe {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The host in place of that of the case. */
  readonly host?: string;
  /** @default 1 */
  readonly times?: number;
  /** Sent with all others of the probe at once. */
  readonly atOnce?: boolean;
  /** Before it, time passes: in milliseconds. */
  readonly afterMs?: number;
  /** Before it, instances change: by their place. */
  readonly become?: Readonly<Record<number, Behaviour>>;
}

/** The outcome of a request on one side. */
export interface Outcome {
  readonly status: number;
  /** The instances that saw it, in the order of the attempts. */
  readonly attempts: readonly number[];
  /** What the last of them saw: method, path, and the headers that the case looks at. */
  readonly seen: Readonly<Record<string, string>> | undefined;
  /** The headers of the answer that the case looks at. */
  readonly response: Readonly<Record<string, string>>;
  /** The instances that saw a copy of it. */
  readonly copies: readonly number[];
}

/** A case: a file, the requests, and what of their outcomes is compared. */
export interface ParityCase {
  /** Unique; `routes/prefix`. */
  readonly name: string;
  /** The directives or fields that it is about. */
  readonly about: string;
  readonly instances: readonly Behaviour[];
  readonly probes: readonly Probe[];
  /**
   * `each`: each outcome, without which instance. `instance`: each outcome, the instance too. `shares`: how many requests each instance got, within what
   * chance allows. `counts`: how many, but for one, since turns begin anywhere. `attempts`: only how many attempts and the status. `statuses`: only how many of each status.
   */
  readonly compare: "each" | "instance" | "shares" | "counts" | "attempts" | "statuses";
  /** Headers of requests as instances see them, which are compared. */
  readonly requestHeaders?: readonly string[];
  /** Headers of answers that are compared. */
  readonly responseHeaders?: readonly string[];
  /** Why the sides may differ: the row is explained then. It must differ. */
  readonly difference?: string;
  /** The case as a part of a file. */
  readonly file: CaseFile;
}

/** The parts of a file that a case brings, in the language of the side. `@host` stands for the host of the case, `@one` for the name of a cluster of it. */
export interface CaseFile {
  /** Clusters beside `@one`, which has all instances, each with the places of its instances. */
  readonly clusters?: Readonly<Record<string, readonly number[]>>;
  /** Further fields of clusters, in YAML's flow form. */
  readonly fields?: Readonly<Record<string, string>>;
  /** The endpoints of `@one` in place of the list of all: `@0` stands for the port of the first instance. */
  readonly assignment?: string;
  /** The routes. @default all to `@one` */
  readonly routes?: string;
  /** Further fields of the virtual host. */
  readonly virtualHost?: string;
}

/** The row of a case. */
export interface Row {
  readonly name: string;
  readonly about: string;
  readonly verdict: "equal" | "explained" | "different" | "failed";
  readonly note: string;
}
