import type { MeshSnapshot, ServiceSnapshot } from "../../admin/snapshot.ts";
import { describeError } from "../../core/errors.ts";
import { withoutTrailingSlashes } from "../../core/http/without-trailing-slashes.ts";
import { readNamedFile } from "../named-file.ts";
import type { Values } from "../option-table.ts";
import { readDuration } from "../option-values.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { UsageError } from "../usage-error.ts";
import { limitedSignal } from "../wait.ts";
import { boundedText } from "./bounded-text.ts";
import { eventData } from "./event-stream.ts";

/** Options that name the admin server of a running process. */
export const adminOptions = {
  admin: {
    type: "string",
    value: "URL",
    help: "URL of the admin server of the process (`admin(mesh)`). Default: `INMESH_ADMIN`, else `http://127.0.0.1:7412`.",
  },
  "token-file": { type: "string", value: "FILE", help: "A file with the token, for a server that requires one." },
  timeout: { type: "string", value: "TIME", help: "Time limit of the first answers, `500ms` or `5s`. Default: `5s`." },
} as const;

/** Reads the JSON of an admin server. Its errors do not hold the token. */
export class AdminClient {
  readonly #base: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #signal: AbortSignal;

  /** @param signal ends what waits for a snapshot and has no signal of its own */
  constructor(base: string, token: string | undefined, signal: AbortSignal) {
    this.#base = base;
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    this.#signal = signal;
  }

  /** The snapshot of all services. */
  async mesh(): Promise<MeshSnapshot> {
    return checked((await this.#json("/api/mesh", this.#signal)) as MeshSnapshot);
  }

  /** The snapshot of one service; `undefined` when the process has not called it. */
  async service(name: string, signal: AbortSignal = this.#signal): Promise<ServiceSnapshot | undefined> {
    const found = await this.#json(`/api/services/${encodeURIComponent(name)}`, signal);
    return found === undefined ? undefined : checked(found as ServiceSnapshot);
  }

  /** The snapshot of all services each second, until the server ends the stream. */
  async *events(signal: AbortSignal): AsyncGenerator<MeshSnapshot, void, undefined> {
    const response = await this.#get("/api/events", signal, "text/event-stream");
    if (response.status !== 200 || response.body === null) throw await this.#refusal(response);
    for await (const data of eventData(response.body)) yield checked(JSON.parse(data) as MeshSnapshot);
  }

  async #json(path: string, signal: AbortSignal): Promise<unknown> {
    signal.throwIfAborted();
    const response = await this.#get(path, signal, "application/json");
    if (response.status === 404 && path !== "/api/mesh") {
      await response.body?.cancel();
      return undefined;
    }
    if (response.status !== 200) throw await this.#refusal(response);
    const text = await boundedText(response);
    try {
      return JSON.parse(text) as unknown;
    } catch {
      throw new Error(`${this.#base} is no admin server of inmesh: its answer is not JSON`);
    }
  }

  async #get(path: string, signal: AbortSignal, accept: string): Promise<Response> {
    try {
      // The target of a redirect would get the token.
      return await fetch(`${this.#base}${path}`, { headers: { ...this.#headers, accept }, redirect: "error", signal });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const cause = (error as { cause?: unknown }).cause ?? error;
      throw new Error(`${this.#base} cannot be reached (${describeError(cause)}): does the process serve admin(mesh) there?`);
    }
  }

  async #refusal(response: Response): Promise<Error> {
    const text = (await boundedText(response)).slice(0, 300);
    let why = "";
    try {
      const { error } = JSON.parse(text) as { error?: unknown };
      if (typeof error === "string") why = `: ${error}`;
    } catch {
      // Not an answer of inmesh: the status is enough.
    }
    const hint = response.status === 401 ? " (--token-file gives one)" : "";
    return new Error(`${this.#base} answered ${response.status}${why}${hint}`);
  }
}

/** The client for the options. The token is registered with the terminal first, so that it is never shown. */
export async function adminClient(
  values: Values<typeof adminOptions>,
  { env, signal }: { readonly env: Readonly<Record<string, string | undefined>>; readonly signal: AbortSignal },
  terminal: Terminal,
): Promise<AdminClient> {
  const given = values.admin ?? (env["INMESH_ADMIN"] || "http://127.0.0.1:7412");
  const url = URL.parse(given);
  // The value is not shown, since it may hold a password in front of an @.
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "")
    throw new UsageError("--admin must be a URL such as http://127.0.0.1:7412, without user and password");
  const file = values["token-file"];
  const token = file === undefined ? undefined : (await readNamedFile(file)).toString("utf8").trim();
  terminal.hide(token);
  const timeoutMs = readDuration("timeout", values.timeout ?? "5s");
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) throw new UsageError(`the file ${file} does not hold a token`);
  return new AdminClient(`${url.origin}${withoutTrailingSlashes(url.pathname)}`, token, limitedSignal({ signal, timeoutMs }));
}

function checked<T extends { readonly version: number }>(snapshot: T): T {
  const version: unknown = (snapshot as { version?: unknown } | null)?.version;
  if (version === 1) return snapshot;
  throw new Error(
    version === undefined
      ? "the answer is none of an admin server of inmesh"
      : `the process speaks version ${String(version)}, this inmesh version 1: use the one of the process`,
  );
}
