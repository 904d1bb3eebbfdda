import type { LeftOut } from "../../core/left-out.ts";
import { isInstanceAddress } from "../../core/peers/address-policy.ts";
import { maxRecords } from "./addresses.ts";
import type { DnsRecord } from "./answer.ts";
import { plainName } from "./name.ts";
import type { Resolve } from "./resolver.ts";

/** The records of the last answers from which no endpoint is made, with the reasons, as they pass by. */
export class UnusableRecords {
  /** Asks as `resolve` does, and looks at the records of each answer. */
  readonly resolve: Resolve;
  readonly #byQuery = new Map<string, readonly LeftOut[]>();

  constructor(resolve: Resolve) {
    this.resolve = async (name, type, signal) => {
      const answer = await resolve(name, type, signal);
      const found = answer.kind === "records" ? unusable(answer.records) : [];
      if (found.length > 0) this.#byQuery.set(`${type} ${name}`, found);
      else this.#byQuery.delete(`${type} ${name}`);
      return answer;
    };
  }

  /** Those of the names that were asked for since {@link nextRound}. */
  get leftOut(): readonly LeftOut[] {
    return this.#byQuery.size === 0 ? [] : [...this.#byQuery.values()].flat();
  }

  /** A new round of queries begins, maybe of other names. */
  nextRound(): void {
    this.#byQuery.clear();
  }
}

function unusable(records: readonly DnsRecord[]): readonly LeftOut[] {
  const faulty = records.flatMap((record): LeftOut[] => {
    const reason = faultOf(record);
    return reason === undefined ? [] : [{ reason }];
  });
  const tooMany = records.length - faulty.length - maxRecords;
  return tooMany > 0
    ? [...faulty, ...Array.from({ length: tooMany }, () => ({ reason: `beyond the first ${maxRecords} records` }))]
    : faulty;
}

/** `undefined` for a record that is used. The SRV target `.` says that there is no service, and is no fault. */
function faultOf(record: DnsRecord): string | undefined {
  if (record.type === "SRV") {
    const { port, target } = record.data;
    if (target === "." || target === "") return undefined;
    if (port === 0) return "an SRV record with port 0";
    return plainName(target) === undefined ? "an SRV record whose target is no host name" : undefined;
  }
  const isAddress = record.type === "A" || record.type === "AAAA";
  return isAddress && !isInstanceAddress(record.data) ? "an address that no instance can have" : undefined;
}
