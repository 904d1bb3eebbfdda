import { closest, distance } from "fastest-levenshtein";
import type { Discovery } from "../discovery/discovery.ts";

const patienceMs = 250;

/**
 * The name in the registry's catalogue that comes nearest to `service`, if one is near enough to be what was meant.
 * Never rejects and takes at most a quarter of a second: it decorates an error message.
 */
export async function suggestName(discovery: Discovery, service: string): Promise<string | undefined> {
  if (discovery.services === undefined) return undefined;
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), patienceMs);
  try {
    const gaveUp = new Promise<readonly string[]>((resolve) =>
      controller.signal.addEventListener("abort", () => resolve([]), { once: true }),
    );
    const names = await Promise.race([discovery.services(controller.signal), gaveUp]);
    const folded = new Map(names.map((name) => [name.toLowerCase(), name]));
    if (folded.size === 0) return undefined;
    const wanted = service.toLowerCase();
    const nearest = closest(wanted, [...folded.keys()]);
    const isNear =
      nearest.includes(wanted) || wanted.includes(nearest) || distance(wanted, nearest) <= Math.max(1, Math.floor(wanted.length / 3));
    return isNear && folded.get(nearest) !== service ? folded.get(nearest) : undefined;
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
    controller.abort();
  }
}
