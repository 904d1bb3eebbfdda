import { cleanText } from "../core/text/clean-text.ts";

/** The most of a message that is sent, in characters: trailers have little room at many peers. */
const maxMessage = 4_096;

/** A `grpc-message`: UTF-8, in which all but visible ASCII, and `%`, is percent-encoded (PROTOCOL-HTTP2 of gRPC). */
export function writeGrpcMessage(text: string): string {
  const bytes = Buffer.from(text.slice(0, maxMessage), "utf8");
  let written = "";
  for (const byte of bytes)
    written +=
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25 ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  return written;
}

/** A `grpc-message` as text. What is no percent-encoding stays as it is, and the text is on one line: it is another's, and gets into messages. */
export function readGrpcMessage(text: string): string {
  if (!text.includes("%")) return cleanText(text);
  const bytes: number[] = [];
  for (let index = 0; index < text.length; index++) {
    const hex = text[index] === "%" ? text.slice(index + 1, index + 3) : "";
    if (/^[0-9A-Fa-f]{2}$/.test(hex)) {
      bytes.push(Number.parseInt(hex, 16));
      index += 2;
    } else bytes.push(...Buffer.from(text[index] as string, "utf8"));
  }
  return cleanText(Buffer.from(bytes).toString("utf8"));
}
