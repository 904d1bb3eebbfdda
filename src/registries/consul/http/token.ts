import { stat } from "node:fs/promises";
import { readFileSafely } from "../../../files/read-file.ts";

/** Bytes that a token file may have: more than a header may. */
const maxBytes = 65_536;

/** An ACL token: the token itself, a file that holds it, or a function that returns it. */
export type ConsulToken = string | { readonly file: string } | (() => string | Promise<string>);

/** Resolves with the token for the next request; `undefined` for none. */
export type TokenSource = () => Promise<string | undefined>;

/** Checks the option. Throws a `TypeError` that does not show its value. */
export function checkedToken(token: ConsulToken | undefined): ConsulToken | undefined {
  if (token === undefined || typeof token === "function") return token;
  if (typeof token === "string" && isToken(token)) return token;
  if (typeof token === "object" && token !== null && typeof token.file === "string" && token.file !== "") return { file: token.file };
  throw new TypeError("consul: token must be a token, { file } or a function");
}

/** Reads the option for every request, so that a token can be replaced while the process runs. */
export function tokenSource(token: ConsulToken | undefined): TokenSource {
  if (token === undefined) return async () => undefined;
  if (typeof token === "string") return async () => token;
  if (typeof token === "function") {
    return async () => {
      const value: unknown = await token();
      if (typeof value !== "string" || !isToken(value)) throw new Error("the token function did not return a token");
      return value;
    };
  }
  return tokenFile(token.file);
}

/** Reads a file again when its time, size or inode has changed. */
function tokenFile(file: string): TokenSource {
  let version = "";
  let value = "";
  return async () => {
    const { mtimeMs, size, ino } = await stat(file);
    const found = `${mtimeMs} ${size} ${ino}`;
    if (found === version) return value;
    const content = (await readFileSafely(file, { maxBytes })).toString("utf8").trim();
    if (!isToken(content)) throw new Error(`the token file ${file} does not hold a token`);
    version = found;
    value = content;
    return content;
  };
}

/** Whether `text` can be sent in a header. */
function isToken(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}
