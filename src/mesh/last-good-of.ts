import { LastGood } from "../discovery/last-good/last-good.ts";
import type { MeshSettings } from "./mesh-options.ts";

/** Files are kept for more services than are watched: processes share the directory. */
const minLastGoodFiles = 128;

/** Where this mesh keeps the last good endpoints; `undefined` where its options name no directory. */
export function lastGoodOf(settings: MeshSettings, onError: (service: string, error: unknown) => void): LastGood | undefined {
  const { lastGoodDirectory: directory, lastGoodMaxAgeMs: maxAgeMs, maxServices, clock } = settings;
  if (directory === undefined) return undefined;
  return new LastGood({ directory, maxAgeMs, maxFiles: Math.max(minLastGoodFiles, maxServices), clock, onError });
}
