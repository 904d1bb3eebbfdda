import { type Clock, type Random, systemClock } from "../../core/clock.ts";
import { checkInteger, checkKeys, checkObject, checkText, refuseOption } from "../../core/settings/checks.ts";
import { targetOf } from "./endpoint-socket.ts";

/** The options of everything that asks an agent. */
export interface AgentOptions {
  /**
   * Where the agent is: `unix:///absolute/path` or `tcp://IP:PORT`.
   * @default the variable `SPIFFE_ENDPOINT_SOCKET` of the environment
   */
  readonly socket?: string;
  /**
   * Milliseconds within which the agent must have answered; a stream is opened again afterwards.
   * @default 30_000
   */
  readonly timeoutMs?: number;
  /**
   * The largest message that is read, in bytes: the bundles of all federated domains stand in one.
   * @default 4_194_304
   */
  readonly maxMessageBytes?: number;
}

/** Clock and randomness, which tests give. */
export interface AgentParts {
  readonly clock?: Clock;
  readonly random?: Random;
}

/** The options with their defaults. */
export interface AgentSettings {
  readonly target: string;
  readonly timeoutMs: number;
  readonly maxMessageBytes: number;
  readonly clock: Clock;
  readonly random: Random;
}

const names = ["socket", "timeoutMs", "maxMessageBytes"];

/** @throws TypeError or RangeError naming the option, for a wrong one. */
export function settleAgent(where: string, options: AgentOptions, others: readonly string[], parts: AgentParts): AgentSettings {
  checkObject(where, options);
  checkKeys(where, options, [...names, ...others]);
  checkText(`${where}.socket`, options.socket);
  checkInteger(`${where}.timeoutMs`, options.timeoutMs, 1, 3_600_000);
  checkInteger(`${where}.maxMessageBytes`, options.maxMessageBytes, 1_024, 67_108_864);
  return {
    target: targetOf(`${where}.socket`, options.socket, process.env),
    timeoutMs: options.timeoutMs ?? 30_000,
    maxMessageBytes: options.maxMessageBytes ?? 4_194_304,
    clock: parts.clock ?? systemClock,
    random: parts.random ?? Math.random,
  };
}

/** A text that may be left out, and is nowhere longer than what stands in a message. @throws TypeError naming the option. */
export function checkName(option: string, value: unknown): void {
  checkText(option, value);
  if (typeof value === "string" && value.length > 2_048) refuseOption(option, `${value.slice(0, 40)}…`, "at most 2,048 characters long");
}
