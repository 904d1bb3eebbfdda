import type { MeshRequest } from "../../core/dispatch.ts";

/** Number of route classes. */
export const maxRouteClasses = 16;

/**
 * Numbers the routes of a service, named by `route` or else by the first segment of the path. Paths come from outside and are
 * unbounded: the first fifteen names have a class of their own, all others share the class 0.
 */
export class RouteClasses {
  readonly #numbers = new Map<string, number>();

  /** The class of a request, from 0 to below {@link maxRouteClasses}. */
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
