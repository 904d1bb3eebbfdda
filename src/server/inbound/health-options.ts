import { optionTable, type Settled } from "../../core/settings/option-table.ts";
import { pathRule } from "./path-rule.ts";

/** The paths for orchestrators and load balancers; `health` in the options of `inbound`. */
export interface HealthOptions {
  /** Path that answers 200 as long as the process answers at all; `false`: none. @default "/.inmesh/live" */
  readonly livePath?: string | false;
  /** Path that answers 200 while the process is ready for requests, else 503 with the reason; `false`: none. @default "/.inmesh/ready" */
  readonly readyPath?: string | false;
}

/** The rules of {@link HealthOptions}. */
export const healthOptions = optionTable<HealthOptions>()({
  livePath: pathRule("/.inmesh/live"),
  readyPath: pathRule("/.inmesh/ready"),
});

/** {@link HealthOptions} with the defaults filled in. */
export type HealthSettings = Settled<typeof healthOptions.rules>;
