import { checkText } from "../../core/settings/checks.ts";
import { type MayBeAbsent, part } from "../../core/settings/composite-rules.ts";
import type { OptionRule } from "../../core/settings/option-rule.ts";
import { optionTable } from "../../core/settings/option-table.ts";
import { choice, custom, flag, integer, number, timerMs } from "../../core/settings/rules.ts";
import type { RouteFault, RouteMirror } from "../route.ts";
import { targetTable } from "./target-rules.ts";
import { checkMatchedHeader } from "./value-rules.ts";

const mirrorTable = optionTable<RouteMirror>()({
  ...targetTable.rules,
  percent: number({ default: 100, min: 0, max: 100, unit: "%" }),
  methods: choice(["safe", "all"], "safe"),
  credentials: flag(false),
  maxInFlight: integer({ default: 100, min: 1 }),
  maxBodyBytes: integer({ default: 65_536, min: 0, unit: "bytes" }),
  timeoutMs: timerMs({ default: 5_000, min: 1 }),
});

/** Copies of calls. */
export const mirrorRule: MayBeAbsent<RouteMirror> = part(mirrorTable, (option, { service, subset }) => {
  if (service === undefined && subset === undefined) throw new TypeError(`${option} needs a service or a subset that gets the copies`);
});

const percent = number({ default: 100, min: 0, max: 100, unit: "%" });

type Delay = NonNullable<RouteFault["delay"]>;
type Abort = NonNullable<RouteFault["abort"]>;

const delayTable = optionTable<Delay>()({ ms: timerMs({ min: 0, defaultText: "must be given" }) as OptionRule<number>, percent });
const abortTable = optionTable<Abort>()({ status: integer({ min: 200, max: 599 }), error: choice(["reset"]), percent });

const faultTable = optionTable<RouteFault>()({
  header: custom<string>({
    type: "string",
    default: "x-mesh-fault",
    check(option, value) {
      checkText(option, value);
      if (value !== "*") checkMatchedHeader(option, value as string);
    },
  }),
  delay: part(delayTable, (option, { ms }) => {
    if (ms === undefined) throw new TypeError(`${option} needs ms`);
  }),
  abort: part(abortTable, (option, { status, error }) => {
    if ((status === undefined) === (error === undefined)) throw new TypeError(`${option} needs either status or error`);
  }),
});

/** Faults on purpose. */
export const faultRule: MayBeAbsent<RouteFault> = part(faultTable, (option, { delay, abort }) => {
  if (delay === undefined && abort === undefined) throw new TypeError(`${option} needs a delay or an abort`);
});
