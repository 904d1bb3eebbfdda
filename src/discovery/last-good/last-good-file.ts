import { createHash } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { inTurns } from "../../core/json/in-turns.ts";
import { readJson } from "../../core/json/json-scanner.ts";
import type { Steps } from "../../core/json/steps.ts";
import { readFileSafely } from "../../files/read-file.ts";

/** The content of a file with last good endpoints. */
export interface LastGoodContent {
  readonly service: string;
  /** Milliseconds since 1970. */
  readonly savedAt: number;
  readonly endpoints: readonly unknown[];
}

const maxBytes = 8 * 1024 * 1024;
/** For the user of the process only: a file decides where requests go. */
const fileMode = 0o600;

/** The first bytes of each such file, by which it is told from files of others. */
export const lastGoodMark = "sha256:";

/**
 * Reads the file at `path`, whose content is of `service`. Rejects with an Error that says why it is not used: it is damaged, a link or a pipe,
 * or others may write it.
 */
export async function readLastGood(path: string, service: string): Promise<LastGoodContent> {
  const text = await readFileSafely(path, { maxBytes, follow: false, judge: refuseForeign });
  const end = text.indexOf("\n");
  const body = text.subarray(end + 1);
  if (end < 0 || text.toString("latin1", 0, end) !== checksumOf(body)) throw new Error("its checksum is wrong");
  const { service: written, savedAt, endpoints } = (await inTurns(readJson(body))) as Record<string, unknown>;
  if (written !== service || typeof savedAt !== "number" || !Array.isArray(endpoints)) throw new Error("it is of something else");
  return { service, savedAt, endpoints };
}

/** Writes under another name and renames, so that a reader never sees half of a file. */
export async function writeLastGood(path: string, content: LastGoodContent): Promise<void> {
  const body = Buffer.from(await inTurns(jsonOf(content)));
  if (body.byteLength > maxBytes - 100) throw new Error(`they have more than ${maxBytes} bytes`);
  // Processes that share the directory must not write to the same file.
  const temporary = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  try {
    const file = await open(temporary, "wx", fileMode);
    try {
      await file.writeFile([`${checksumOf(body)}\n`, body]);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Throws where another user than that of this process, or root, may change what has these `stats`. */
export function refuseForeign({ mode, uid }: Pick<BigIntStats, "mode" | "uid">): void {
  // Windows has neither, and gives every file the mode 0666.
  if (process.getuid === undefined) return;
  if ((mode & 0o022n) !== 0n || (Number(uid) !== process.getuid() && uid !== 0n))
    throw new Error("others may write it, so it is not trusted");
}

function* jsonOf({ service, savedAt, endpoints }: LastGoodContent): Steps<string> {
  const parts: string[] = [];
  for (const endpoint of endpoints) {
    parts.push(JSON.stringify(endpoint));
    yield;
  }
  return `{"service":${JSON.stringify(service)},"savedAt":${savedAt},"endpoints":[${parts.join(",")}]}`;
}

function checksumOf(body: Buffer): string {
  return `${lastGoodMark}${createHash("sha256").update(body).digest("hex")}`;
}
