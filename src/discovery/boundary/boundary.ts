import { addressOf, type Endpoint } from "../../core/endpoint.ts";
import type { LeftOut } from "../../core/left-out.ts";
import { quoted } from "../../core/text/clean-text.ts";
import { isRegionName } from "../../core/text/region-name.ts";
import type { BoundaryOptions } from "./boundary-options.ts";
import { regionOf, statedRegion } from "./region.ts";

/** An endpoint that discovery lists and that is outside of the boundary of its service. */
export interface OutsideEndpoint {
  readonly endpoint: Endpoint;
  /** `host:port`, or `unix:` and a path. */
  readonly address: string;
  /** Its region; `undefined` where that is unknown. */
  readonly region: string | undefined;
  /** The reason for which it is outside. */
  readonly reason: string;
}

/** The endpoints of an answer, parted by a boundary. */
export interface BoundedEndpoints {
  readonly endpoints: readonly Endpoint[];
  readonly outside: readonly OutsideEndpoint[];
  /** Those outside as entries that are not used. An instance that has moved outside takes no further call, without confirmation. */
  readonly notUsed: readonly LeftOut[];
}

const none: readonly never[] = [];
/** Characters of a name of a region in a message. */
const maxShown = 64;

/** The regions that requests of a service stay in. It compares texts: a pattern is never a regular expression. */
export class Boundary {
  /** The names and patterns, for messages: `eu-*, uk`. */
  readonly text: string;
  readonly #names: ReadonlySet<string>;
  readonly #prefixes: readonly string[];

  constructor({ region }: BoundaryOptions) {
    this.text = region.join(", ");
    this.#names = new Set(region.filter((pattern) => !pattern.endsWith("*")));
    this.#prefixes = region.filter((pattern) => pattern.endsWith("*")).map((pattern) => pattern.slice(0, -1));
  }

  /** The reason for which `endpoint` is outside; `undefined` where it is inside. */
  reasonOf(endpoint: Endpoint): string | undefined {
    const stated = statedRegion(endpoint);
    if (stated === undefined) return "outside of the boundary: its region is unknown";
    const shown = () => quoted(stated.length > maxShown ? `${stated.slice(0, maxShown)}…` : stated);
    if (!isRegionName(stated)) return `outside of the boundary: its region is unknown, ${shown()} is no name of one`;
    return this.#contains(stated) ? undefined : `outside of the boundary: in region ${shown()}`;
  }

  #contains(region: string): boolean {
    return this.#names.has(region) || this.#prefixes.some((prefix) => region.length > prefix.length && region.startsWith(prefix));
  }
}

/** Parts endpoints by a boundary; without one, all of them are in the same array as before. The rest of `given` is handed on. */
export function within<Given extends { readonly endpoints: readonly Endpoint[] }>(
  boundary: Boundary | undefined,
  given: Given,
): Given & BoundedEndpoints {
  if (boundary === undefined) return { ...given, outside: none, notUsed: none };
  const endpoints: Endpoint[] = [];
  const outside: OutsideEndpoint[] = [];
  for (const endpoint of given.endpoints) {
    const reason = boundary.reasonOf(endpoint);
    if (reason === undefined) endpoints.push(endpoint);
    else outside.push({ endpoint, address: addressOf(endpoint), region: regionOf(endpoint), reason });
  }
  const notUsed = outside.map(({ endpoint: { id }, reason }) => ({ id, reason, withdrawn: true }));
  return { ...given, endpoints, outside, notUsed };
}
