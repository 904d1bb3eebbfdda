import { posix } from "node:path";
import type { Page } from "./markdown.ts";

/**
 * The broken links and pictures of the pages, one sentence each. External addresses and pages generated into `docs/api` are
 * not checked.
 * @param isFile whether there is a file or folder, by its path from the root
 */
export function brokenLinksOf(pages: ReadonlyMap<string, Page>, isFile: (path: string) => boolean): readonly string[] {
  return [...pages].flatMap(([path, { links }]) =>
    links.flatMap(({ target, line }) => {
      const reason = objectionTo(path, target, pages, isFile);
      return reason === undefined ? [] : [`${path}:${line}: ${target}: ${reason}`];
    }),
  );
}

function objectionTo(
  path: string,
  target: string,
  pages: ReadonlyMap<string, Page>,
  isFile: (path: string) => boolean,
): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return undefined;
  if (target.startsWith("/")) return "begins with a slash, which means another place on every site";
  const [file = "", anchor] = target.split("#");
  const goal = file === "" ? path : posix.join(posix.dirname(path), decodeURIComponent(file));
  if (goal.startsWith("..")) return "leaves the repository";
  if (goal === "docs/api" || goal.startsWith("docs/api/")) return undefined;
  const page = pages.get(goal);
  if (page === undefined && !isFile(goal)) return "there is no such file";
  if (anchor === undefined) return undefined;
  if (page === undefined) return /^L\d+$/.test(anchor) ? "lines move; link the file" : "only a page has anchors";
  return page.headings.some((heading) => heading.anchor === anchor) ? undefined : "there is no such heading";
}
