import type { MeshRequest } from "../../core/dispatch.ts";

/** How many classes are told apart. */
export const maxRouteClasses = 16;

/**
 * Numbers the routes of a service: by `route`, else by the first segment of the path. Paths come from outside, so
 * the first fifteen have a number of their own and all others share 0.
 */
export class RouteClasses {
  readonly #numbers = new Map<string, number>();

  /** From 0 to below {@link maxRouteClasses}. */
  of({ route, path }: MeshRequest): number {
    const name = route ?? firstSegment(path);
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const number = this.#numbers.size + 1;
    if (number >= maxRouteClasses) return 0;
    this.#numbers.set(name, number);
    return number;
  }
}

function firstSegment(path: string): string {
  for (let index = 1; index < path.length; index++) {
    const code = path.charCodeAt(index);
    if (code === slash || code === questionMark) return path.slice(0, index);
  }
  return path;
}

const slash = 0x2f;
const questionMark = 0x3f;
