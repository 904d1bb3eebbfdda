import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ImportedNginx, type ImportNginxOptions, importNginx } from "../../src/nginx/import-nginx.ts";

/** Imports a text as a file of nginx, which is gone afterwards. Names stay unless `options` say otherwise. */
export async function importedFrom(text: string, options: ImportNginxOptions = {}): Promise<ImportedNginx> {
  const directory = await mkdtemp(join(tmpdir(), "nginx-"));
  try {
    const file = join(directory, "nginx.conf");
    await writeFile(file, text);
    return await importNginx(file, { names: "keep", ...options });
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** The message of the error with which a text is refused, with `nginx.conf` for its path. */
export async function refusalOf(text: string, options: ImportNginxOptions = {}): Promise<string> {
  try {
    await importedFrom(text, options);
  } catch (error) {
    return (error as Error).message.replace(/^.*\/(?=nginx\.conf)/, "");
  }
  return "no error";
}
