import { constants } from "node:os";
import type { Clock } from "../core/clock.ts";
import { checkFunction, checkObject, refuseOption } from "../core/settings/checks.ts";
import { clockRule } from "../core/settings/clock-rule.ts";
import { optionTable, type Settled } from "../core/settings/option-table.ts";
import { custom, group, orFalse, timerMs } from "../core/settings/rules.ts";
import type { IdentitySource } from "../identity/identity-source.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { type CallersOptions, callersOptions } from "./entrance/callers-options.ts";
import { type InboundOptions, inboundOptions } from "./inbound/inbound-options.ts";

/** The instance that a server is registered as: as for `mesh.register`, with the port of the server unless another is given. */
export type ServedInstance = Omit<Parameters<Mesh["register"]>[0], "port" | "keepTrying"> & { readonly port?: number };

/** The part of a mesh that `serve` uses. */
export type ServedMesh = Pick<Mesh, "register" | "warm" | "close">;

/** Options of `serve`. */
export interface ServeOptions {
  /** The mesh by which the server is registered, and by which its handlers call others. It is closed last. @default none */
  readonly mesh?: ServedMesh;
  /**
   * Registers the server once it listens and is ready, at a registry that is down too as soon as that is up. Needs `mesh`. @default not registered
   */
  readonly register?: ServedInstance;
  /** Services that instances are connected to before the server is ready; one that cannot be reached is said and does not hold it up. @default [] */
  readonly warm?: readonly string[];
  /**
   * Whether this program is ready for requests. Asked before the server is registered and by each request for readiness; a throw, a rejection and an
   * answer that takes more than a second are no. @default always
   */
  readonly ready?: () => boolean | Promise<boolean>;
  /**
   * The lame duck: how long the server serves on after it has left the registry, in milliseconds, since callers learn that later. Consul needs a second,
   * Eureka its response cache and the fetch interval of callers (60 s together). For callers that find it by DNS: the time to live of its records, and
   * a second. @default what the registry needs, 5000 where that is not known
   */
  readonly lameDuckMs?: number;
  /**
   * How long a caller is known after its last request, in milliseconds: the lame duck ends before its time where each of them is a mesh that says that it
   * has let go of this instance. @default 300000
   */
  readonly callerMemoryMs?: number;
  /** How long requests under way may take after that, in milliseconds. Those that take longer are cut off. @default 25000 */
  readonly graceMs?: number;
  /** The parts that each request meets before its handler: health, trust, limits, load, metrics, log; `{}` for those that need no option, `false` for none. @default false */
  readonly inbound?: InboundOptions | false;
  /**
   * The identity of this server. Each connection to it is then ended here: over TLS with the certificate that is current, from callers whose certificate its
   * authorities have issued. The server itself is one without certificates, of `node:http` or `node:http2`. @default none
   */
  readonly identity?: IdentitySource;
  /** Which connections a server with an `identity` takes. */
  readonly callers?: CallersOptions;
  /** Signals upon which the server stops. The second one ends at once. `[]`: none. @default ["SIGTERM", "SIGINT"] */
  readonly signals?: readonly NodeJS.Signals[];
  /** Takes a line for each step: started, registered, leaving, draining, stopped, and what went wrong. @default to the standard error output */
  readonly log?: ((line: string) => void) | false;
  /** The source of time, for tests. @default the process's own clock */
  readonly clock?: Clock;
}

/** The rules of {@link ServeOptions}. */
export const serveOptions = optionTable<ServeOptions>()({
  mesh: custom<ServedMesh | undefined>({
    type: "Mesh",
    default: undefined,
    defaultText: "none",
    check(option, value) {
      const mesh = value as Partial<ServedMesh> | null;
      if (typeof mesh?.register !== "function" || typeof mesh.close !== "function") refuseOption(option, value, "a mesh");
    },
  }),
  register: custom<ServedInstance | undefined>({
    type: "object",
    default: undefined,
    defaultText: "not registered",
    check: checkObject,
  }),
  warm: custom<readonly string[]>({
    type: "string[]",
    default: [],
    check(option, value) {
      if (!(Array.isArray(value) && value.every((each) => typeof each === "string" && each !== "")))
        refuseOption(option, value, "an array of names of services");
    },
  }),
  ready: custom<(() => boolean | Promise<boolean>) | undefined>({
    type: "() => boolean | Promise<boolean>",
    default: undefined,
    defaultText: "always",
    check: checkFunction,
  }),
  lameDuckMs: timerMs({ min: 0, defaultText: "what the registry needs, 5000 where that is not known" }),
  callerMemoryMs: timerMs({ min: 0, default: 300_000 }),
  graceMs: timerMs({ min: 0, default: 25_000 }),
  inbound: orFalse(group(inboundOptions), false),
  identity: custom<IdentitySource | undefined>({
    type: "IdentitySource",
    default: undefined,
    defaultText: "none",
    check(option, value) {
      if (typeof (value as Partial<IdentitySource> | null)?.watch !== "function") refuseOption(option, value, "a source of identities");
    },
  }),
  callers: group(callersOptions),
  signals: custom<readonly NodeJS.Signals[]>({
    type: "Signals[]",
    default: ["SIGTERM", "SIGINT"],
    defaultText: '`["SIGTERM", "SIGINT"]`',
    check(option, value) {
      if (!Array.isArray(value)) refuseOption(option, value, "an array of signals");
      for (const signal of value) {
        if (!(signal in constants.signals) || signal === "SIGKILL" || signal === "SIGSTOP")
          refuseOption(option, signal, "signals that a process can catch");
      }
    },
  }),
  log: custom<((line: string) => void) | false>({
    type: "(line: string) => void | false",
    default: (line) => void process.stderr.write(`${line}\n`),
    defaultText: "to the standard error output",
    check(option, value) {
      if (value !== false) checkFunction(option, value);
    },
  }),
  clock: clockRule,
});

/** The options of `serve` with their defaults. */
export type ServeSettings = Settled<typeof serveOptions.rules>;

/**
 * Checks the options of `serve`, and fills in the defaults.
 * @throws TypeError or RangeError naming the option and the value.
 */
export function settleServe(options: ServeOptions): ServeSettings {
  serveOptions.check("serve", options);
  const settings = serveOptions.settle(options);
  if (settings.mesh === undefined && settings.register !== undefined)
    throw new TypeError("serve: register needs a mesh: serve(server, { mesh, register })");
  if (settings.mesh === undefined && settings.warm.length > 0)
    throw new TypeError("serve: warm needs a mesh: serve(server, { mesh, warm })");
  if (settings.identity === undefined && options.callers !== undefined)
    throw new TypeError("serve: callers needs an identity: serve(server, { identity, callers })");
  return settings;
}
