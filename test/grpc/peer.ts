import * as http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** An instance on its port whose answers to each stream the test writes itself. */
export async function startPeer(
  answer: (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders, body: Buffer) => void,
): Promise<{ readonly port: number; readonly calls: () => number }> {
  let calls = 0;
  const server = http2.createServer();
  const sessions = new Set<http2.ServerHttp2Session>();
  server.on("session", (session) => sessions.add(session));
  server.on("stream", (stream, headers) => {
    calls++;
    stream.on("error", () => {});
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => answer(stream, headers, Buffer.concat(chunks)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    for (const session of sessions) session.destroy();
  });
  return { port: (server.address() as AddressInfo).port, calls: () => calls };
}

/** A message in its frame. */
export function frame(text: string, flag = 0): Buffer {
  const bytes = Buffer.from(text);
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(bytes.byteLength, 1);
  return Buffer.concat([prefix, bytes]);
}

/** The head of an answer. */
export const head = { ":status": 200, "content-type": "application/grpc" };

/** Answers with these bytes and this status in the trailers. */
export function answerWith(stream: http2.ServerHttp2Stream, bytes: Buffer, trailers: http2.OutgoingHttpHeaders | undefined): void {
  stream.respond(head, { waitForTrailers: trailers !== undefined });
  if (trailers !== undefined) stream.on("wantTrailers", () => stream.sendTrailers(trailers));
  stream.end(bytes);
}
