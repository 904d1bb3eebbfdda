import type { Policy } from "../../../authorization/policy.ts";
import type { PolicySource } from "../../../authorization/sources/policy-source.ts";
import { checkPolicy } from "../../../authorization/text/read-policy.ts";
import { checkFunction, refuseOption } from "../../../core/settings/checks.ts";
import { optionTable, type Settled } from "../../../core/settings/option-table.ts";
import { choice, custom, flag, text, timerMs } from "../../../core/settings/rules.ts";
import type { AuditRecord } from "./audit.ts";

/** The rules that requests are let pass by; `authorization` in the options of `inbound`. Exactly one of `policy`, `file` and `source` is given. */
export interface AuthorizationOptions {
  /** The policy itself. @default none */
  readonly policy?: Policy;
  /** A file with the policy, in JSON or YAML. It must be good at the start; of later versions a bad one changes nothing. @default none */
  readonly file?: string;
  /** Where else the policy comes from; every request is refused until it is there. @default none */
  readonly source?: PolicySource;
  /** Reports decisions, and lets every request pass. @default false */
  readonly dryRun?: boolean;
  /**
   * How paths are read. `"strict"` answers 400 to those that readers may differ on, before any rule; `"as-envoy"` takes them as they are, as a sidecar of
   * Consul does, with which a path may pass a rule by. @default "strict"
   */
  readonly pathPolicy?: "strict" | "as-envoy";
  /** Takes a record of each request that is denied, would be denied, or matches a rule that audits. @default none */
  readonly audit?: (record: AuditRecord) => void | PromiseLike<void>;
  /** How often the file is looked at, in milliseconds. A change counts once it is found twice. @default 1000 */
  readonly pollMs?: number;
}

/** The rules of {@link AuthorizationOptions}. */
export const authorizationOptions = optionTable<AuthorizationOptions>()({
  policy: custom<Policy | undefined>({
    type: "Policy",
    default: undefined,
    defaultText: "none",
    check: (option, value) => void checkPolicy(value, option),
  }),
  file: text("none"),
  source: custom<PolicySource | undefined>({
    type: "PolicySource",
    default: undefined,
    defaultText: "none",
    check(option, value) {
      const { name, watch } = (value ?? {}) as Partial<PolicySource>;
      if (typeof name !== "string" || typeof watch !== "function") refuseOption(option, value, "a policy source with name and watch");
    },
  }),
  dryRun: flag(false),
  pathPolicy: choice(["strict", "as-envoy"], "strict"),
  audit: custom<AuthorizationOptions["audit"]>({
    type: "(record: AuditRecord) => void | Promise<void>",
    default: undefined,
    defaultText: "none",
    check: checkFunction,
  }),
  pollMs: timerMs({ default: 1_000, min: 10 }),
});

/** {@link AuthorizationOptions} with the defaults filled in. */
export type AuthorizationSettings = Settled<typeof authorizationOptions.rules>;

/**
 * Checks that exactly one origin of the policy is given: with none, a mistyped option would let all pass.
 * @throws TypeError naming the options.
 */
export function checkOrigin(
  option: string,
  { policy, file, source }: { readonly [Name in "policy" | "file" | "source"]?: AuthorizationOptions[Name] | undefined },
): void {
  const given = [policy, file, source].filter((each) => each !== undefined).length;
  if (given !== 1) throw new TypeError(`${option} needs exactly one of policy, file and source, not ${given} of them`);
}
