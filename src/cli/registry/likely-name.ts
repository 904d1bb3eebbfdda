import type { Discovery } from "../../extend.ts";
import { nearestWord } from "../nearest-word.ts";

const timeoutMs = 3_000;

/** The listed service that `service` was probably meant to be; `undefined` where none is near, or the source lists no names in time. */
export async function likelyName(
  discovery: Pick<Discovery, "services">,
  service: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const names = await discovery.services?.(limit).catch(() => undefined);
  return names === undefined || names.includes(service) ? undefined : nearestWord(service, names);
}

/** `; did you mean orders?`, and nothing without a name. */
export function suggestionOf(name: string | undefined): string {
  return name === undefined ? "" : `; did you mean ${name}?`;
}
