import { warnOfThrow } from "../../../core/observing/fence.ts";
import type { AuthorizationDecision } from "../../../core/observing/served-request.ts";

/** One decision, as the option `audit` gets it. */
export interface AuditRecord {
  /** Time of day, in milliseconds since 1970. */
  readonly timeMs: number;
  readonly decision: AuthorizationDecision;
  /** The rule that has decided; `undefined` where none allows the request, and where its path is refused. */
  readonly ruleId: string | undefined;
  readonly reason: string;
  /** Ids of the rules that audit and match. */
  readonly audits: readonly string[];
  readonly method: string;
  /** Without query; at most 2,048 characters. */
  readonly path: string;
  readonly identity: string | undefined;
  readonly address: string | undefined;
  /** The subjects of the verified tokens. */
  readonly subjects: readonly string[];
  /** Records before this one that were dropped, as the sink had too many under way. */
  readonly dropped: number;
}

/** Promises of the sink that may be under way. */
const maxPending = 1_000;
const maxPath = 2_048;

/** The sink of the program, fenced: it can neither hold up nor fail a request, and a slow one takes no memory without bound. */
export class Audit {
  readonly #sink: (record: AuditRecord) => void | PromiseLike<void>;
  #pending = 0;
  #dropped = 0;

  constructor(sink: (record: AuditRecord) => void | PromiseLike<void>) {
    this.#sink = sink;
  }

  tell(record: Omit<AuditRecord, "dropped">): void {
    if (this.#pending >= maxPending) {
      this.#dropped++;
      return;
    }
    const dropped = this.#dropped;
    this.#dropped = 0;
    try {
      const result: unknown = this.#sink({ ...record, path: record.path.slice(0, maxPath), dropped });
      if (typeof (result as PromiseLike<unknown> | null | undefined)?.then === "function") this.#await(result as PromiseLike<unknown>);
    } catch (error) {
      warnOfThrow("the function authorization.audit", error);
    }
  }

  #await(result: PromiseLike<unknown>): void {
    this.#pending++;
    Promise.resolve(result)
      .catch((error: unknown) => warnOfThrow("the function authorization.audit", error))
      .finally(() => void this.#pending--);
  }
}
