/** One request as the client that made it saw it. */
export interface LedgerEntry {
  readonly id: string;
  readonly method: string;
  readonly sentAt: number;
  /** Absent: nobody ever told what became of it. */
  settledAt?: number;
  /** Of the response, when there was one. */
  status?: number;
  /** The id in the response. */
  echoed?: string;
  /** The response's body is the one that belongs to the id. */
  isWhole?: boolean;
  /** The code of the error, when there was one. */
  error?: string;
  /** The whole text of the error. */
  message?: string;
  /** What the error says; absent where it says nothing. */
  maybeExecuted?: boolean;
  /** How far the last attempt got. */
  phase?: string;
  /** The caller gave it up itself. */
  isAborted?: boolean;
}

/** One attempt as an observer inside the client saw it. */
export interface AttemptTrace {
  readonly client: string;
  readonly id: string;
  readonly method: string;
  /** The endpoint's id. */
  readonly upstream: string;
  readonly startedAt: number;
  /** Sent although the endpoint was out of rotation: to try it, or because there was no other. */
  readonly isProbe: boolean;
  endedAt?: number;
  code?: string;
  status?: number;
  phase?: string;
  isFailed?: boolean;
}

/** Something that happened inside a client. */
export interface ClientEvent {
  readonly at: number;
  readonly client: string;
  readonly kind: "endpoints" | "instance-state" | "breaker" | "discovery-error";
  readonly what: string;
}

/** What an instance wrote down: `begin` before its handler works, `end` after; `refuse`: read, and said not to have been processed. */
export interface JournalEntry {
  readonly event: "begin" | "end" | "refuse";
  readonly id: string;
  readonly method: string;
  readonly at: number;
  readonly instance: string;
}

/** What the process of a client looks like. */
export interface ProcessFigures {
  readonly heapMb: number;
  readonly rssMb: number;
  readonly fds: number;
  readonly cpuMs: number;
}

/** Everything that one client has to say at the end. */
export interface ClientReport {
  readonly ledger: readonly LedgerEntry[];
  readonly attempts: readonly AttemptTrace[];
  readonly events: readonly ClientEvent[];
  readonly unhandled: readonly string[];
  /** A scrape of its metrics, of what it sent under load; absent where it has none. */
  readonly metrics?: string;
  /** The longest time that the process stood still. */
  readonly lagMs: number;
}
