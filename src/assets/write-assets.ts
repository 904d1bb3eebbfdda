import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { assetFiles, mark } from "./asset-files.ts";
import { type AssetsOptions, assetsSettings, checkTarget } from "./assets-options.ts";

/** Where assets are written, and for whom. */
export interface WriteAssetsOptions extends AssetsOptions {
  /** The directory; it is made if it is not there. */
  readonly out: string;
  /** Replaces files that something else has written, too. Default: `false`. */
  readonly force?: boolean | undefined;
}

/**
 * Writes recording and alerting rules for Prometheus, an example configuration for Alertmanager, dashboards for Grafana, and the runbooks
 * that the alerts lead to, and returns the paths of the files. What it has written before is replaced. Needs no network.
 * @throws TypeError or RangeError for a wrong option
 * @throws Error, and writes nothing, when there is a file in the way that it has not written, and `force` is not set
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
