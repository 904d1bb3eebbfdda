import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { assetFiles, mark } from "./asset-files.ts";
import { type AssetsOptions, assetsSettings, checkTarget } from "./assets-options.ts";

/** Options of {@link writeAssets}. */
export interface WriteAssetsOptions extends AssetsOptions {
  /** Target directory, created when it does not exist. */
  readonly out: string;
  /** Replaces files that `writeAssets` has not written, too. @default false */
  readonly force?: boolean | undefined;
}

/**
 * Writes recording and alerting rules for Prometheus, an example configuration for Alertmanager, dashboards for Grafana, and the runbooks
 * that the alerts link to. Replaces files of an earlier run. Needs no network.
 * @returns the paths of the files
 * @throws TypeError or RangeError naming the option and the value
 * @throws Error when a file of another origin is in the way and `force` is not set; nothing is written then
 */
export async function writeAssets(options: WriteAssetsOptions): Promise<readonly string[]> {
  const settings = assetsSettings(options, ["out", "force"]);
  const { out, force = false } = options;
  checkTarget(out, force);
  const files = new Map([...(await assetFiles(settings))].map(([path, text]) => [join(out, path), text]));
  if (!force) {
    const foreign: string[] = [];
    for (const path of files.keys()) if (await isForeign(path)) foreign.push(path);
    if (foreign.length > 0) {
      throw new Error(`${foreign.join(", ")}: written by something else than inmesh, and not replaced without force; nothing was written`);
    }
  }
  for (const [path, text] of files) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  return [...files.keys()];
}

async function isForeign(path: string): Promise<boolean> {
  try {
    return !(await readFile(path, "utf8")).includes(mark);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return false;
    throw error;
  }
}
