import type { Duplex } from "node:stream";
import { closeBy, goingAway } from "../server/connections/upgraded-socket.ts";
import { FrameEnds } from "./frame-ends.ts";

/**
 * Passes the frames of an instance on to a client. Where the server of the gateway leaves, the client gets the close frame 1001 behind the frame that is under
 * way, and nothing of the instance after it.
 */
export function relay(instance: Duplex, client: Duplex): void {
  const frames = new FrameEnds();
  let isLeaving = false;
  let hasClosed = false;
  const close = (): void => {
    hasClosed = true;
    client.write(goingAway);
  };
  // Before the one of `pipe`, which writes the same bytes.
  instance.on("data", (chunk: Buffer) => {
    const rest = frames.pass(chunk);
    if (!isLeaving || hasClosed) return;
    if (rest > 0 && !client.write(chunk.subarray(0, rest))) {
      instance.pause();
      client.once("drain", () => instance.resume());
    }
    if (rest < chunk.byteLength || frames.isBetween) close();
  });
  instance.pipe(client);
  closeBy(client, () => {
    if (isLeaving) return;
    isLeaving = true;
    instance.unpipe(client);
    instance.resume();
    if (frames.isBetween) close();
  });
}
