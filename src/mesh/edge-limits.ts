import type { Clock } from "../core/clock.ts";
import { wireOptions } from "../core/connection-options.ts";
import { decodeOption, decodeOptions } from "../fetch/decoding/decode-options.ts";
import type { EdgeLimits } from "../fetch/fetch.ts";
import { type ServiceOptions, withOverrides } from "./service-options.ts";

/** The limits of the bodies of each service at the edge: those of the mesh, made once, or those of a service with options of its own. */
export function edgeLimits(
  options: ServiceOptions,
  overrides: ReadonlyMap<string, ServiceOptions | undefined>,
  clock: Clock,
): (service: string) => EdgeLimits {
  const limitsBy = (given: ServiceOptions): EdgeLimits => {
    const { maxRatio } = decodeOptions.settle(decodeOption.settle(given).decode);
    return { decode: { maxRatio, maxBytes: wireOptions.settle(given).maxCollectedBytes }, clock };
  };
  const ofMesh = limitsBy(options);
  const ofServices = new Map([...overrides].map(([name, own]) => [name, limitsBy(withOverrides(options, own))]));
  return (service) => ofServices.get(service) ?? ofMesh;
}
