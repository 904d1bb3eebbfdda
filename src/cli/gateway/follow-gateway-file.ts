import { stat } from "node:fs/promises";
import type { Gateway, GatewayOptions } from "../../gateway/gateway.ts";
import { createMesh, type Mesh } from "../../index.ts";
import type { GatewayFile } from "./gateway-file.ts";

/** How a file is followed. */
export interface GatewayFollowing {
  /** The version in force, and when its reading began, in milliseconds since 1970. */
  readonly first: GatewayFile;
  readonly readAt: number;
  readonly read: () => Promise<GatewayFile>;
  /** Puts a version in force, or throws and changes nothing. */
  readonly take: (next: GatewayFile) => void;
  /** Told of a version that is refused, once. */
  readonly refused: (error: unknown) => void;
}

/** Milliseconds between two looks. A change counts once two looks have found the same: half of a file is a file, too. */
const pollMs = 500;

/** Follows a file, and all that it leads to. */
export function followGatewayFile({ first, readAt, read, take, refused }: GatewayFollowing): Disposable {
  let current = first;
  let found: string | undefined;
  let known: string | undefined;
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;
  const look = async (): Promise<void> => {
    const { text } = await stampsOf(current.files);
    const isSettled = text === found && text !== known;
    found = text;
    if (isSettled && !isClosed) await readAnew(text);
    if (!isClosed) timer = setTimeout(() => void look(), pollMs).unref();
  };
  const readAnew = async (stamps: string): Promise<void> => {
    const beganAt = Date.now();
    known = stamps;
    try {
      const next = await read();
      if (isClosed) return;
      if (next.content !== current.content) take(next);
      current = next;
      await remember(beganAt);
    } catch (error) {
      if (!isClosed) refused(error);
    }
  };
  /** A change that was made during the reading is found by the next look. */
  const remember = async (beganAt: number): Promise<void> => {
    const { text, newestMs } = await stampsOf(current.files);
    known = newestMs < beganAt ? text : undefined;
  };
  void remember(readAt).then(look);
  return {
    [Symbol.dispose]() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}

/** Lets a gateway go by the mesh of another version. The one before ends when the last request that began by it has. */
export function replaceMesh(gateway: Gateway, before: Mesh, next: GatewayFile, options: GatewayOptions): Mesh {
  const mesh = createMesh(next.mesh);
  try {
    void gateway.reconfigure(options, mesh).then(() => before.close());
    return mesh;
  } catch (error) {
    void mesh.close();
    throw error;
  }
}

/** The stamps of files in one text, and the time of the last change among them. */
async function stampsOf(files: readonly string[]): Promise<{ readonly text: string; readonly newestMs: number }> {
  let newestMs = 0;
  const stamps = files.map(async (path) => {
    const found = await stat(path, { bigint: true }).catch(() => undefined);
    if (found === undefined) return `${path}:gone`;
    newestMs = Math.max(newestMs, Number(found.mtimeMs), Number(found.ctimeMs));
    return `${path}:${found.dev}:${found.ino}:${found.size}:${found.mtimeNs}`;
  });
  return { text: (await Promise.all(stamps)).join("\n"), newestMs };
}
