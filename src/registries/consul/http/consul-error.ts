import { describeError } from "../../../core/errors.ts";
import { cleanText } from "../../../core/text/clean-text.ts";

/**
 * A request to an agent that failed. It holds nothing of the request: the npm client's errors carry the response, and with it the request
 * and its token.
 */
export class ConsulError extends Error {
  override readonly name = "ConsulError";
  /** The HTTP status of the answer; `undefined` when there was none. */
  readonly status: number | undefined;
  /** The system's code, such as `ECONNREFUSED`, when the connection failed. */
  readonly code: string | undefined;

  constructor(message: string, details: { readonly status?: number; readonly code?: string } = {}) {
    super(cleanText(message));
    this.status = details.status;
    this.code = details.code;
  }
}

const maxTextLength = 300;

/** Converts a rejection of the npm client. `token` is replaced by `[token]` wherever it occurs. */
export function consulErrorOf(error: unknown, token: string | undefined): ConsulError {
  if (error instanceof ConsulError) return error;
  const response = responseOf(error);
  if (response === undefined) {
    const code = (error as { code?: unknown } | undefined)?.code;
    return new ConsulError(withoutToken(describeError(error), token), typeof code === "string" ? { code } : {});
  }
  const { statusCode: status = 0, body } = response;
  if (status >= 200 && status < 300) return new ConsulError(`HTTP ${status} with a body that is not JSON`, { status });
  const text =
    typeof body === "string" ? body : body instanceof Uint8Array ? new TextDecoder().decode(body.subarray(0, maxTextLength)) : "";
  const line = withoutToken(text, token).trim().slice(0, maxTextLength);
  return new ConsulError(line === "" ? `HTTP ${status}` : `HTTP ${status}: ${line}`, { status });
}

/** Whether the agent refused (4xx except 429): repeating the request changes nothing. */
export function isRefusal(error: unknown): boolean {
  const status = error instanceof ConsulError ? error.status : undefined;
  return status !== undefined && status >= 400 && status < 500 && status !== 429;
}

function responseOf(error: unknown): { readonly statusCode?: number; readonly body?: unknown } | undefined {
  const response: unknown = (error as { response?: unknown } | undefined)?.response;
  return typeof response === "object" && response !== null ? response : undefined;
}

function withoutToken(text: string, token: string | undefined): string {
  return token === undefined ? text : text.replaceAll(token, "[token]");
}
