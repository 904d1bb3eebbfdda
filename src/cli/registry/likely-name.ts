import type { Discovery } from "../../extend.ts";
import { nearestName } from "../../suggestions/nearest-name.ts";
import { limitedSignal } from "../wait.ts";

/** The most that a suggestion may take, in milliseconds. */
const mostMs = 3_000;

/**
 * The listed service that `service` was probably meant to be; `undefined` where none is near, or the source lists no names in time.
 * @param leftMs the rest of the limit of the command
 */
export async function likelyName(
  discovery: Pick<Discovery, "services">,
  service: string,
  signal: AbortSignal,
  leftMs: number = mostMs,
): Promise<string | undefined> {
  if (leftMs <= 0) return undefined;
  const limit = limitedSignal({ signal, timeoutMs: Math.min(mostMs, leftMs) });
  const names = await discovery.services?.(limit).catch(() => undefined);
  return names === undefined || names.includes(service) ? undefined : nearestName(service, names);
}

/** `; did you mean orders?`, and nothing without a name. */
export function suggestionOf(name: string | undefined): string {
  return name === undefined ? "" : `; did you mean ${name}?`;
}
