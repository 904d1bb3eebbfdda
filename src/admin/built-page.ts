import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The names of the page's files. */
export const pageNames = ["index.html", "page.js", "page.css", "icon.svg"] as const;

/** The page's files as text, by name. */
export type PageTexts = Readonly<Record<(typeof pageNames)[number], string>>;

/**
 * The page that `npm run build` has made; `undefined` before. In `dist` the build has put the texts themselves in the place of this file:
 * a bundle of an application has no files beside it.
 */
export function builtPage(place: string = join(import.meta.dirname, "../../dist/admin/page")): PageTexts | undefined {
  if (!existsSync(join(place, "page.js"))) return undefined;
  return Object.fromEntries(pageNames.map((name) => [name, readFileSync(join(place, name), "utf8")])) as PageTexts;
}
