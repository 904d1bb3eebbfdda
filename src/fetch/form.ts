import { randomBytes } from "node:crypto";
import { isBlob } from "./brands.ts";

/** A form as it is sent: text and files in turn. Nothing of a file is read before it is sent. */
export interface EncodedForm {
  readonly parts: readonly (string | Blob)[];
  readonly contentType: string;
}

const lineBreaks = /\r\n|\r|\n/g;

/** "multipart/form-data encoding algorithm" of the HTML standard. */
export function encodeForm(form: Iterable<[string, unknown]>): EncodedForm {
  // Made once: the boundaries in the header and in the body have to agree in every attempt.
  const boundary = `----inmesh-form-${randomBytes(16).toString("hex")}`;
  const parts: (string | Blob)[] = [];
  for (const [name, value] of form) {
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${escaped(name.replace(lineBreaks, "\r\n"))}"`;
    if (isBlob(value)) {
      const fileName = (value as Partial<File>).name ?? "blob";
      parts.push(
        `${head}; filename="${escaped(fileName)}"\r\nContent-Type: ${value.type || "application/octet-stream"}\r\n\r\n`,
        value,
        "\r\n",
      );
    } else {
      parts.push(`${head}\r\n\r\n${String(value).replace(lineBreaks, "\r\n")}\r\n`);
    }
  }
  parts.push(`--${boundary}--\r\n`);
  return { parts, contentType: `multipart/form-data; boundary=${boundary}` };
}

/** A name as it stands between quotes. */
function escaped(name: string): string {
  return name.replaceAll("\n", "%0A").replaceAll("\r", "%0D").replaceAll('"', "%22");
}
