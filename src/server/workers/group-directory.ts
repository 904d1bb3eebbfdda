import { createHash } from "node:crypto";
import { lstat, mkdir, readlink } from "node:fs/promises";
import { hostname, tmpdir, userInfo } from "node:os";
import { join } from "node:path";

/**
 * The directory in which the workers of one server meet; made where it is missing. It is below the directory for temporary files, in one that only this
 * user can open. `subject`: what tells this server from others. Workers meet only where they see each other's processes.
 * @throws Error where the directory is not this user's own, or cannot be made.
 */
export async function groupDirectory(subject: readonly unknown[]): Promise<string> {
  const user = process.getuid?.() ?? userInfo().username;
  const own = join(tmpdir(), `inmesh-${user}`);
  await makeOwn(own);
  const space = await Promise.all(["pid", "net"].map((name) => readlink(`/proc/self/ns/${name}`).catch(() => "")));
  const name = createHash("sha256")
    .update(JSON.stringify([hostname(), ...space, ...subject]))
    .digest("hex")
    .slice(0, 16);
  const directory = join(own, name);
  await makeOwn(directory);
  return directory;
}

async function makeOwn(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const found = await lstat(path);
  if (!found.isDirectory()) throw new Error(`${path} is not a directory`);
  // Windows has no such rights; its directory for temporary files is the user's own.
  if (process.getuid === undefined) return;
  if (found.uid !== process.getuid()) throw new Error(`${path} belongs to another user`);
  if ((found.mode & 0o077) !== 0)
    throw new Error(`${path} is open to other users (mode ${(found.mode & 0o777).toString(8)} in place of 700)`);
}
