import { checkKeys, checkObject, refuseOption } from "../core/settings/checks.ts";
import { readFileSafely } from "../files/read-file.ts";
import { boundedText, isSafeUrl } from "./key-download.ts";

/** A token that was got for calls, and its end in milliseconds since the epoch. */
export interface GotToken {
  readonly token: string;
  readonly expiresAtMs: number;
}

const maxBytes = 65_536;
/** A file is read again after this time where its token says no end of its own, in milliseconds. */
const fileMs = 60_000;

/**
 * Reads the token from a file, again ahead of its end, as Kubernetes and others renew it there: `fileToken("/var/run/secrets/tokens/orders")`. The file is for one audience.
 */
export function fileToken(path: string): () => Promise<GotToken> {
  if (typeof path !== "string" || path === "") refuseOption("fileToken: path", path, "a path");
  return async () => {
    const token = (await readFileSafely(path, { maxBytes })).toString().trim();
    const soon = Date.now() + fileMs;
    return { token, expiresAtMs: Math.min(endOf(token) ?? soon, soon) };
  };
}

/** Options of {@link clientCredentials}. */
export interface ClientCredentialsOptions {
  /** The token endpoint: `https:`, or `http:` on this machine. */
  readonly url: string;
  readonly clientId: string;
  /** The secret, or a function that returns it, as one that reads a file. It stands in no error. */
  readonly clientSecret: string | (() => string | Promise<string>);
  /** @default none */
  readonly scope?: string;
  /** Asks the authority, as for one of one's own. @default the process's own fetch */
  readonly fetch?: typeof fetch;
}

/**
 * Gets tokens by the client credentials grant of OAuth 2.0 (RFC 6749 §4.4), with HTTP Basic, and `audience` as a parameter.
 * @throws TypeError naming the option, for a wrong one.
 */
export function clientCredentials(options: ClientCredentialsOptions): (audience: string, signal: AbortSignal) => Promise<GotToken> {
  checkObject("clientCredentials", options);
  checkKeys("clientCredentials", options, ["url", "clientId", "clientSecret", "scope", "fetch"]);
  const { url, clientId, clientSecret, scope, fetch: ask = fetch } = options;
  if (!isSafeUrl(url)) throw new TypeError("clientCredentials: url must be an https: URL without a password, or http: on this machine");
  if (typeof clientId !== "string" || clientId === "") refuseOption("clientCredentials: clientId", clientId, "a string that is not empty");
  if (typeof clientSecret !== "function" && (typeof clientSecret !== "string" || clientSecret === ""))
    throw new TypeError("clientCredentials: clientSecret must be a string that is not empty, or a function");
  return async (audience, signal) => {
    const secret = typeof clientSecret === "function" ? await clientSecret() : clientSecret;
    const basic = Buffer.from(`${formEncoded(clientId)}:${formEncoded(secret)}`).toString("base64");
    const body = new URLSearchParams({ grant_type: "client_credentials", audience, ...(scope === undefined ? {} : { scope }) });
    const askedAt = Date.now();
    const response = await ask(url, {
      method: "POST",
      redirect: "manual",
      body,
      signal,
      headers: { authorization: `Basic ${basic}`, accept: "application/json" },
    });
    const text = await boundedText(response, maxBytes);
    if (response.status !== 200) throw new Error(`the token endpoint answered ${response.status}`);
    const { access_token: token, token_type: type, expires_in: seconds } = parsed(text);
    if (typeof token !== "string" || String(type).toLowerCase() !== "bearer")
      throw new Error("the token endpoint answered without a bearer token");
    const lifetime = typeof seconds === "number" && seconds > 0 ? seconds * 1_000 : fileMs;
    return { token, expiresAtMs: askedAt + lifetime };
  };
}

function parsed(text: string): Record<string, unknown> {
  try {
    return (JSON.parse(text) ?? {}) as Record<string, unknown>;
  } catch {
    // The error of the parser quotes the text.
    throw new Error("the token endpoint did not answer with JSON");
  }
}

/** RFC 6749 §2.3.1 */
function formEncoded(text: string): string {
  return new URLSearchParams([["", text]]).toString().slice(1);
}

/** The end of a token that is a JSON Web Token. */
function endOf(token: string): number | undefined {
  try {
    const { exp } = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as { exp?: unknown };
    return typeof exp === "number" ? exp * 1_000 : undefined;
  } catch {
    return undefined;
  }
}
