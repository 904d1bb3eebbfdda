import { clockRule, randomRule } from "../../balancer/picker-options.ts";
import type { Clock, Random } from "../../core/clock.ts";
import { refuseOption } from "../../core/settings/checks.ts";
import { optionTable, type Settled } from "../../core/settings/option-table.ts";
import { choice, custom, flag, integer, text } from "../../core/settings/rules.ts";

/** Options of `nginx`. */
export interface NginxOptions {
  /** How nginx chooses: the directive of the upstream, `roundRobin` without one. @default "roundRobin" */
  readonly method?: "roundRobin" | "leastConnections" | "random" | "randomTwo" | "hash" | "consistentHash" | "ipHash";
  /** The key of `hash` and `consistentHash`, with variables of nginx: `$request_uri`. `mesh.hashKey` of a call goes before it. @default none */
  readonly key?: string;
  /** Statuses of answers that count as failures of their server where the call can be sent to another one, as `proxy_next_upstream` lists them. @default [] */
  readonly failedStatuses?: readonly number[];
  /** Attempts of a call, for `failedStatuses`: the answer to the last one is no failure. @default no limit */
  readonly maxAttempts?: number;
  /** Whether `failedStatuses` are failures of POST, LOCK and PATCH too. @default false */
  readonly anyMethod?: boolean;
  /** Source of the random numbers. @default the mesh's */
  readonly random?: Random;
  /** Clock that the times of failures are measured with. @default the mesh's */
  readonly clock?: Clock;
}

/** The rules of {@link NginxOptions}. */
export const nginxOptions = optionTable<NginxOptions>()({
  method: choice(["roundRobin", "leastConnections", "random", "randomTwo", "hash", "consistentHash", "ipHash"], "roundRobin"),
  key: text("none"),
  failedStatuses: custom<readonly number[]>({
    type: "number[]",
    default: [],
    check(option, value) {
      if (!(Array.isArray(value) && value.every((status) => Number.isInteger(status) && status >= 400 && status <= 599)))
        refuseOption(option, value, "an array of statuses from 400 to 599");
    },
  }),
  maxAttempts: integer({ min: 1, defaultText: "no limit" }),
  anyMethod: flag(false),
  random: randomRule,
  clock: clockRule,
});

/** {@link NginxOptions} with the defaults filled in. */
export type NginxSettings = Settled<typeof nginxOptions.rules>;
