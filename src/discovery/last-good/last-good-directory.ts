import { constants } from "node:fs";
import { lstat, mkdir, open, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { lastGoodMark, refuseForeign } from "./last-good-file.ts";

const directoryMode = 0o700;
/** Half-written files of processes that were killed. */
const temporaryName = /\.json\.\d{1,10}\.[a-z0-9]{1,20}$/;
const staleTemporaryMs = 3_600_000;

/** Makes `directory` where it does not exist. Rejects where others may write it: an older file could be put back, or a file removed. */
export async function prepareDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: directoryMode });
  await checkDirectory(directory);
}

/** Rejects where others may write `directory`, or where it does not exist. */
export async function checkDirectory(directory: string): Promise<void> {
  try {
    refuseForeign(await stat(directory, { bigint: true }));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== undefined) throw error;
    throw new Error(`its directory: ${(error as Error).message} (chmod 700)`, { cause: error });
  }
}

/**
 * Removes the oldest files of last good endpoints in `directory` until at most `most` are left, and what killed processes have left half-written.
 * Files whose names are in `kept` stay, and so do files of others.
 */
export async function sweepDirectory(directory: string, most: number, kept: ReadonlySet<string>, nowMs: number): Promise<void> {
  const names = await readdir(directory);
  for (const name of names.filter((each) => temporaryName.test(each))) {
    if ((await modifiedAt(join(directory, name))) < nowMs - staleTemporaryMs) await rm(join(directory, name), { force: true });
  }
  const files = names.filter((name) => name.endsWith(".json"));
  if (files.length <= most) return;
  const candidates: { path: string; at: number }[] = [];
  let own = files.length;
  for (const name of files) {
    if (kept.has(name)) continue;
    const path = join(directory, name);
    if (await isLastGood(path)) candidates.push({ path, at: await modifiedAt(path) });
    else own -= 1;
  }
  candidates.sort((one, other) => one.at - other.at);
  for (const { path } of candidates.slice(0, Math.max(0, own - most))) await rm(path, { force: true });
}

async function modifiedAt(path: string): Promise<number> {
  return lstat(path).then(
    ({ mtimeMs }) => mtimeMs,
    // Another process has removed it.
    () => Number.POSITIVE_INFINITY,
  );
}

async function isLastGood(path: string): Promise<boolean> {
  try {
    const file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
    try {
      const { buffer } = await file.read(Buffer.alloc(lastGoodMark.length), 0, lastGoodMark.length, 0);
      return buffer.toString("latin1") === lastGoodMark;
    } finally {
      await file.close();
    }
  } catch {
    return false;
  }
}
