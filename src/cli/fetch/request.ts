import { addAbortSignal } from "node:stream";
import { looksSecret } from "../../core/http/secret-headers.ts";
import type { MeshRequestInit } from "../../index.ts";
import type { Io } from "../io.ts";
import { readNamedFile } from "../named-file.ts";
import type { Values } from "../option-table.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { UsageError } from "../usage-error.ts";
import type { fetchOptions } from "./fetch-options.ts";

/** Bytes of a file that is sent as a body: it is held in memory. */
const maxBodyBytes = 1_073_741_824;

/** The request of the options. Secret values of headers are registered with the terminal, so that they are never shown. */
export async function requestOf(
  values: Values<typeof fetchOptions>,
  io: Pick<Io, "stdin" | "signal">,
  terminal: Terminal,
): Promise<MeshRequestInit & { method: string; headers: Headers }> {
  const headers = await shownHeaders(values.header ?? [], terminal);
  const body = values.data === undefined ? undefined : await bodyOf(values.data, io);
  if (body !== undefined && !headers.has("content-type")) headers.set("content-type", "application/x-www-form-urlencoded");
  return {
    method: values.request ?? (body === undefined ? "GET" : "POST"),
    headers,
    ...(body === undefined ? {} : { body }),
    redirect: values.location === true ? "follow" : "manual",
    mesh: callOptionsOf(values),
  };
}

/** The options of the call for the mesh. */
export function callOptionsOf(values: Values<typeof fetchOptions>): NonNullable<MeshRequestInit["mesh"]> {
  const hashKey = values["hash-key"];
  return {
    ...(values["no-retry"] === true ? { retry: false } : {}),
    ...(values.idempotent === true ? { idempotent: true } : {}),
    ...(values.trace === true ? { trace: true } : {}),
    ...(hashKey === undefined ? {} : { hashKey }),
  };
}

/** {@link givenHeaders}, of which secret values are never shown. */
export async function shownHeaders(given: readonly string[], terminal: Terminal): Promise<Headers> {
  const headers = await givenHeaders(given);
  for (const [name, value] of headers) if (looksSecret(name)) for (const part of [value, value.split(" ").at(-1)]) terminal.hide(part);
  return headers;
}

/** The headers of lines `name: value`, and of files of such lines (`@FILE`). */
export async function givenHeaders(given: readonly string[]): Promise<Headers> {
  return headersOf(await headerLines(given));
}

/** The headers given, those of files (`@FILE`) in their place, one a line. */
async function headerLines(given: readonly string[]): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const each of given) {
    if (!each.startsWith("@")) lines.push(each);
    else {
      const text = (await readNamedFile(each.slice(1))).toString("utf8");
      lines.push(...text.split(/\r?\n/).filter((line) => line.trim() !== ""));
    }
  }
  return lines;
}

function headersOf(lines: readonly string[]): Headers {
  const headers = new Headers();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon)).trim();
    try {
      if (name === "") throw new TypeError("no name");
      headers.append(name, line.slice(colon + 1).trim());
    } catch {
      // Without the value, which may be a secret.
      throw new UsageError(
        `--header must be "name: value"; the one ${name === "" ? "without a name" : `called ${JSON.stringify(name)}`} is not`,
      );
    }
  }
  return headers;
}

async function bodyOf(parts: readonly string[], io: Pick<Io, "stdin" | "signal">): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for (const part of parts) {
    if (chunks.length > 0) chunks.push(Buffer.from("&"));
    if (part === "@-") chunks.push(await allOf(io));
    else chunks.push(part.startsWith("@") ? await readNamedFile(part.slice(1), maxBodyBytes) : Buffer.from(part));
  }
  return new Uint8Array(Buffer.concat(chunks));
}

/** The texts of `--data`, each with the place that messages name. */
export async function dataTexts(
  given: readonly string[],
  io: Pick<Io, "stdin" | "signal">,
): Promise<readonly { readonly place: string; readonly text: string }[]> {
  const texts: { place: string; text: string }[] = [];
  for (const each of given) {
    const bytes = each === "@-" ? await allOf(io) : each.startsWith("@") ? await readNamedFile(each.slice(1), maxBodyBytes) : undefined;
    const place = each === "@-" ? "the standard input" : bytes === undefined ? "--data" : each.slice(1);
    texts.push({ place, text: bytes === undefined ? each : Buffer.from(bytes).toString("utf8") });
  }
  return texts;
}

async function allOf({ stdin, signal }: Pick<Io, "stdin" | "signal">): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  if (stdin !== undefined) addAbortSignal(signal, stdin);
  for await (const chunk of stdin ?? []) chunks.push(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
  return Buffer.concat(chunks);
}
