import { isNameable } from "./nameable.ts";
import { PathRecord } from "./path-record.ts";
import { proposePolicy } from "./propose-policy.ts";
import type { DecidedRequest, RecordedRequest, RequestRecord } from "./recorded-requests.ts";

/** Callers that are kept apart. */
const maxCallers = 1_000;

/** Records which callers send which requests, and proposes the policy that allows these and nothing else. */
export interface PolicyRecorder {
  /** The function to be `audit` of a server whose policy has a rule that audits every request. Bound to its recorder. */
  readonly audit: (record: DecidedRequest) => void;
  /** The record so far, which `inmesh policy propose` reads as JSON. */
  toJSON(): RequestRecord;
  /** The policy that is proposed, in YAML. */
  propose(): string;
}

/**
 * Makes a recorder. Requests that are allowed are recorded, and in a dry run those that no rule would have allowed; none that a rule denies, and none whose path is refused.
 * Memory is bounded: of 1,000 callers and 20,000 paths and segments, where segments with many values are one.
 */
export function policyRecorder(): PolicyRecorder {
  const record = new Recorder();
  return { audit: (decided) => record.add(decided), toJSON: () => record.toJSON(), propose: () => proposePolicy(record.toJSON()) };
}

class Recorder {
  readonly #paths = new PathRecord();
  /** Number by identity: a key of the paths is a number and a method. */
  readonly #callers = new Map<string | undefined, number>();
  #dropped = 0;
  #tooMany = 0;
  #unnameable = 0;

  add({ decision, ruleId, method, path, identity, dropped = 0 }: DecidedRequest): void {
    this.#dropped += dropped;
    if (decision !== "allowed" && !(decision === "dry-run-denied" && ruleId === undefined)) return;
    if (!isNameable(method, path, identity)) {
      this.#unnameable++;
      return;
    }
    const caller = this.#callers.get(identity) ?? this.#callers.size;
    if (caller >= maxCallers || !this.#paths.add(path, `${caller} ${method}`)) {
      this.#tooMany++;
      return;
    }
    this.#callers.set(identity, caller);
  }

  toJSON(): RequestRecord {
    const identities = [...this.#callers.keys()];
    const requests: RecordedRequest[] = [];
    for (const [path, counts] of this.#paths.entries()) {
      for (const [key, count] of counts) {
        const space = key.indexOf(" ");
        requests.push({ identity: identities[Number(key.slice(0, space))] ?? null, method: key.slice(space + 1), path, count });
      }
    }
    return { requests, leftOut: { dropped: this.#dropped, tooMany: this.#tooMany, unnameable: this.#unnameable } };
  }
}
