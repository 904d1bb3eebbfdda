import type { Clock } from "../../core/clock.ts";
import type { Answer } from "./answer.ts";

type Records = Extract<Answer, { kind: "records" }>;

/** The knowledge of the answers of one server about one name and type. */
interface Knowledge {
  /** The records of the last answer by UDP. */
  records: ReadonlySet<string>;
  /** The number of records in the last answer by TCP that had more; 0 when there was none. */
  wholeSize: number;
  /** Before this time no other comparison is made: the last one found nothing, or TCP does not work. */
  trustedUntil: number;
  /** The answer by UDP that a comparison has found to be whole. */
  wholeRecords: ReadonlySet<string> | undefined;
}

/** How long a comparison that found nothing is not repeated, in milliseconds. */
const trustMs = 60_000;
const maxKept = 4_096;

/**
 * Recognizes answers by UDP that show only a part of the instances without saying so. Consul's DNS server does that: it sends as many
 * records as fit the datagram, others each time, and does not set the bit that asks the client to use TCP.
 */
export class PartialAnswers {
  readonly #clock: Clock;
  readonly #known = new Map<string, Knowledge>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether TCP has given more for `key` than UDP, so that UDP need not be asked. */
  isPartial(key: string): boolean {
    return (this.#known.get(key)?.wholeSize ?? 0) > 0;
  }

  /**
   * Whether an answer of `length` bytes, of at most `limit`, is to be compared with that by TCP: there was no room for one more record, or
   * records of the last answer are gone, and either others have come or most have gone.
   */
  isSuspect(key: string, answer: Records, length: number, limit: number): boolean {
    const records = new Set(answer.records.map(({ type, data }) => `${type} ${JSON.stringify(data)}`));
    const known = this.#known.get(key);
    const isFull = (length * (records.size + 1)) / records.size > limit;
    const isOther = known !== undefined && isSuspectChange(known.records, records);
    if (known !== undefined) known.records = records;
    else this.#keep(key, { records, wholeSize: 0, trustedUntil: Number.NEGATIVE_INFINITY, wholeRecords: undefined });
    if (isFull && !this.#isWhole(known, records)) return true;
    return isOther && this.#clock.now() >= (known?.trustedUntil ?? 0);
  }

  /** Notes what a comparison has found: `whole` is the answer by TCP, or `undefined` when there was none. */
  compared(key: string, part: Records, whole: Records | undefined): void {
    const known = this.#known.get(key);
    if (known === undefined) return;
    known.wholeSize = whole !== undefined && whole.records.length > part.records.length ? whole.records.length : 0;
    if (known.wholeSize > 0) return;
    known.trustedUntil = this.#clock.now() + trustMs;
    known.wholeRecords = known.records;
  }

  /** Notes that TCP does not work any more. */
  forget(key: string): void {
    this.#known.delete(key);
  }

  #isWhole(known: Knowledge | undefined, records: ReadonlySet<string>): boolean {
    const whole = known?.wholeRecords;
    if (whole === undefined || this.#clock.now() >= (known?.trustedUntil ?? 0)) return false;
    return whole.size === records.size && hasAll(whole, records);
  }

  #keep(key: string, knowledge: Knowledge): void {
    const [oldest] = this.#known.keys();
    if (this.#known.size >= maxKept && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(key, knowledge);
  }
}

function isSuspectChange(before: ReadonlySet<string>, now: ReadonlySet<string>): boolean {
  const gone = [...before].filter((record) => !now.has(record)).length;
  return gone > 0 && (gone > before.size / 2 || !hasAll(before, now));
}

function hasAll(set: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  for (const other of others) if (!set.has(other)) return false;
  return true;
}
