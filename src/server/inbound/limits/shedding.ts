import type { InboundPart, InboundRequest } from "../inbound-request.ts";
import type { ProcessLoad } from "../load/process-load.ts";
import type { SheddingSettings } from "./shedding-options.ts";

/** Change of the share that is shed with each tick of 100 ms: up fast, down slowly, so that it does not swing. */
const up = 0.1;
const down = 0.02;
/** Some requests get through always: without them nothing would show that the process has recovered. */
const maxShare = 0.95;

/**
 * Refuses a share of the requests while the process is overloaded: with 503 and `x-mesh-refused: 1`, since another instance may have room. The share grows
 * while the event loop lags, or the CPU is used up, and falls when that has ended. Requests of low priority go first, those of high priority last.
 */
export class Shedding implements InboundPart {
  readonly name = "shedding";
  readonly #settings: SheddingSettings;
  readonly #load: ProcessLoad;
  #share = 0;
  /** The rest of shares that make no whole request yet: with 0.3, every third or fourth request is shed. */
  #due = 0;

  constructor(settings: SheddingSettings, load: ProcessLoad) {
    this.#settings = settings;
    this.#load = load;
    load.onTick((goesOn) => this.#adjust(goesOn));
  }

  /** The share of the requests of normal priority that is shed at present. */
  get share(): number {
    return this.#share;
  }

  arrive(record: InboundRequest): boolean {
    this.#load.touch();
    if (this.#share === 0) return false;
    this.#due += this.#shareOf(record);
    if (this.#due < 1) return false;
    this.#due -= 1;
    return record.refuse(this.name, { why: "this instance is overloaded" });
  }

  #shareOf({ priority }: InboundRequest): number {
    if (priority === "low") return 1;
    return priority === "normal" ? this.#share : Math.max(0, 2 * this.#share - 1);
  }

  #adjust(goesOn: boolean): void {
    const { maxLagMs, maxCpu } = this.#settings;
    const isOverloaded = this.#load.lagMs > maxLagMs || (maxCpu !== undefined && this.#load.cpu > maxCpu);
    const share = isOverloaded ? this.#share + up : this.#share - down;
    // Where no requests come, there is nothing to shed when the next one does.
    this.#share = goesOn ? Math.min(maxShare, Math.max(0, Math.round(share * 100) / 100)) : 0;
    if (this.#share === 0) this.#due = 0;
  }
}
