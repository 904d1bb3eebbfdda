import type { OptionRule } from "../../core/settings/option-rule.ts";
import { optionTable, type Settled } from "../../core/settings/option-table.ts";
import { group, orFalse } from "../../core/settings/rules.ts";
import { type GrpcHealthOptions, grpcHealthOptions } from "../grpc/health-options.ts";
import { pathRule } from "./path-rule.ts";

/** The paths for orchestrators and load balancers; `health` in the options of `inbound`. */
export interface HealthOptions {
  /** Path that answers 200 as long as the process answers at all; `false`: none. @default "/.inmesh/live" */
  readonly livePath?: string | false;
  /** Path that answers 200 while the process is ready for requests, else 503 with the reason; `false`: none. @default "/.inmesh/ready" */
  readonly readyPath?: string | false;
  /**
   * gRPC's health service (`grpc.health.v1`) over HTTP/2, answered here: `Check`, `Watch` and `List`, as ready as this process; `false`: left to handlers.
   * @default answered for a server of grpc-js without one of its own
   */
  readonly grpc?: GrpcHealthOptions | false;
}

/** The rules of {@link HealthOptions}. */
export const healthOptions = optionTable<HealthOptions>()({
  livePath: pathRule("/.inmesh/live"),
  readyPath: pathRule("/.inmesh/ready"),
  grpc: {
    ...(orFalse(group(grpcHealthOptions)) as OptionRule<GrpcHealthOptions | false | undefined>),
    default: undefined,
    defaultText: "answered for a server of grpc-js without one of its own",
  },
});

/** {@link HealthOptions} with the defaults filled in. */
export type HealthSettings = Settled<typeof healthOptions.rules>;
