import type { PageTexts } from "./built-page.ts";

/** A file of the page. */
export interface PageFile {
  readonly type: string;
  readonly body: string;
}

const files: Readonly<Record<string, readonly [name: keyof PageTexts, type: string]>> = {
  "/": ["index.html", "text/html; charset=utf-8"],
  "/page.js": ["page.js", "text/javascript; charset=utf-8"],
  "/page.css": ["page.css", "text/css; charset=utf-8"],
  "/icon.svg": ["icon.svg", "image/svg+xml"],
};

const notBuilt = "The page has not been built: run `npm run build`. The API (/api/mesh) works without it.\n";

/** The files of the page by URL path. Without a built page, `/` is a text that says so. */
export function pageFiles(texts: PageTexts | undefined): ReadonlyMap<string, PageFile> {
  if (texts === undefined) return new Map([["/", { type: "text/plain; charset=utf-8", body: notBuilt }]]);
  return new Map(Object.entries(files).map(([path, [name, type]]) => [path, { type, body: texts[name] }]));
}
