import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A file of the page. */
export interface PageFile {
  readonly type: string;
  readonly body: Buffer | string;
}

const files: Readonly<Record<string, readonly [path: string, type: string]>> = {
  "/": ["index.html", "text/html; charset=utf-8"],
  "/page.js": ["page.js", "text/javascript; charset=utf-8"],
  "/page.css": ["page.css", "text/css; charset=utf-8"],
  "/icon.svg": ["icon.svg", "image/svg+xml"],
};

/** The folder in which `npm run build` puts the page, relative to the entry, to a chunk of it, and to the sources. */
const places = ["./page/", "../admin/page/", "../../dist/admin/page/"];

const notBuilt = "The page has not been built: run `npm run build`. The API (/api/mesh) works without it.\n";

/** The files of the page by URL path, for code at the URL `here`. Without a built page, `/` is a text that says so. */
export function readPageFiles(here: string = import.meta.url): ReadonlyMap<string, PageFile> {
  const place = places.map((path) => fileURLToPath(new URL(path, here))).find((path) => existsSync(`${path}page.js`));
  if (place === undefined) return new Map([["/", { type: "text/plain; charset=utf-8", body: notBuilt }]]);
  return new Map(Object.entries(files).map(([path, [name, type]]) => [path, { type, body: readFileSync(place + name) }]));
}
