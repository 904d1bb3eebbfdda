import { pathProblem } from "./strict-path.ts";

/** A pattern of paths in its segments. */
export interface PathTemplate {
  /** The text of each segment, of those in braces `undefined`. */
  readonly segments: readonly (string | undefined)[];
  /** Whether all below the path match too: `/orders/**`. */
  readonly withBelow: boolean;
}

/**
 * Reads `/orders`, `/orders/{id}` or `/orders/**`.
 * @throws Error saying why, for another text.
 */
export function parsePathTemplate(text: string): PathTemplate {
  if (!text.startsWith("/")) throw new Error("a path begins with /");
  const withBelow = text.endsWith("/**");
  const base = withBelow ? text.slice(0, -3) : text;
  if (/[?#]/.test(base)) throw new Error("a path has no query and no fragment: rules do not see them");
  if (base.includes("*")) throw new Error("** stands at the end, for all below: /orders/**; one segment is {name}");
  const segments = base === "" ? [] : base.slice(1).split("/").map(segmentOf);
  const problem = base === "" ? undefined : pathProblem(base.replaceAll(/[{}]/g, ""));
  if (problem !== undefined) throw new Error(`no request has this path, as it would be refused: ${problem}`);
  return { segments, withBelow };
}

function segmentOf(segment: string): string | undefined {
  if (!/[{}]/.test(segment)) return segment;
  if (!/^\{\w+\}$/.test(segment)) throw new Error("a pair of braces is a whole segment with a name: /orders/{id}");
  return undefined;
}

/** Whether a path matches, by its segments: a segment in braces is any that is not empty. */
export function matchesTemplate({ segments, withBelow }: PathTemplate, path: string): boolean {
  if (!path.startsWith("/")) return false;
  const given = path.slice(1).split("/");
  if (withBelow ? given.length < segments.length : given.length !== segments.length) return false;
  return segments.every((segment, index) => (segment === undefined ? given[index] !== "" : given[index] === segment));
}
