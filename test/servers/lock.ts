import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { endWithUs } from "./end-with-us.ts";
import { isAlive } from "./is-alive.ts";

const heartbeatMs = 5_000;
const staleAfterMs = 60_000;
const pollMs = 500;

interface Holder {
  readonly host: string;
  readonly pid: number;
}

const parseHolder = (text: string): Holder | undefined => {
  const [host, pid] = text.split(" ");
  return host !== undefined && pid !== undefined ? { host, pid: Number(pid) } : undefined;
};

const acquire = async (path: string, content: string): Promise<boolean> => {
  try {
    await writeFile(path, content, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
};

/** A holder that died leaves a dead pid; one on another machine, or whose pid was given out again, a heartbeat that stopped. */
const isStale = (holder: Holder | undefined, mtimeMs: number): boolean => {
  if (Date.now() - mtimeMs > staleAfterMs) return true;
  return holder !== undefined && holder.host === hostname() && !isAlive(holder.pid);
};

const breakStale = async (path: string, onWait: (message: string) => void): Promise<void> => {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(path, "utf8"), stat(path)]);
    const holder = parseHolder(text);
    if (!isStale(holder, mtimeMs)) {
      onWait(`process ${holder?.pid ?? "?"} is building it`);
      return;
    }
    // Only one of several waiters can rename the file, and what it renamed is looked at again: a lock taken meanwhile stays.
    const aside = `${path}.${randomUUID()}`;
    await rename(path, aside);
    if ((await readFile(aside, "utf8")) !== text) await rename(aside, path);
    else await rm(aside, { force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
};

/** Runs `work` while holding the lock file at `path`, waiting for another holder and taking over from a dead one. */
export const withLock = async <T>(path: string, work: () => Promise<T>, onWait: (message: string) => void = () => {}): Promise<T> => {
  const content = `${hostname()} ${process.pid} ${randomUUID()}`;
  while (!(await acquire(path, content))) {
    await breakStale(path, onWait);
    await sleep(pollMs);
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {});
  }, heartbeatMs);
  const forget = endWithUs(() => rmSync(path, { force: true }));
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    forget();
    // After a long standstill (a sleeping laptop) the lock may be another process's by now.
    const current = await readFile(path, "utf8").catch(() => undefined);
    if (current === content) await rm(path, { force: true });
  }
};
