import { request } from "node:http";

/** A request of {@link requestJson}. */
export interface JsonRequest {
  readonly method?: "GET" | "PUT" | "POST" | "DELETE";
  /** Sent as JSON; a string as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

const timeoutMs = 10_000;

/**
 * Sends one HTTP request on a connection of its own and returns the parsed answer: undefined when empty, the text when it
 * isn't JSON. Rejects on any status but 2xx, naming it. Not `fetch`, because a test may have put a dispatcher of its own
 * below every fetch, and because a kept-alive connection would not survive the restart of a server.
 */
export const requestJson = (url: string | URL, options: JsonRequest = {}): Promise<unknown> => {
  const { method = "GET", body, headers = {}, signal = AbortSignal.timeout(timeoutMs) } = options;
  const payload = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  const contentType = payload === undefined ? {} : { "content-type": "application/json" };
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      { method, agent: false, signal, headers: { accept: "application/json", ...contentType, ...headers } },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("error", reject);
        response.on("end", () => {
          const status = response.statusCode ?? 0;
          if (status < 200 || status > 299) {
            reject(new Error(`${method} ${String(url)} was answered with ${status}: ${text.slice(0, 500)}`));
            return;
          }
          resolve(parse(text));
        });
      },
    );
    outgoing.on("error", reject);
    outgoing.end(payload);
  });
};

const parse = (text: string): unknown => {
  if (text === "") return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
};
