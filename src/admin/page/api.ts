import { askToken } from "./token-dialog.ts";

/** The token, kept in the memory of this page only. */
let token: string | undefined;
let asking: Promise<string | undefined> | undefined;

/** Whether requests wait until the user gives the token. */
export function isAsking(): boolean {
  return asking !== undefined;
}

/** Sends a request to this server. Where the server wants a token, the user is asked once for all waiting requests. */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  for (;;) {
    const sent = token;
    const headers = { ...(init.headers as Record<string, string> | undefined), ...(sent && { authorization: `Bearer ${sent}` }) };
    const response = await fetch(path, { ...init, headers });
    if (response.status !== 401) return response;
    // Another request has asked for the token meanwhile.
    if (token !== sent) continue;
    asking ??= askToken(sent !== undefined).finally(() => {
      asking = undefined;
    });
    token = await asking;
    if (token === undefined) return response;
  }
}

/** The JSON of a GET; `undefined` for 404. Rejects for any other status. */
export async function read<Answer>(path: string, signal: AbortSignal): Promise<Answer | undefined> {
  const response = await request(path, { signal });
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`${response.status}`);
  return (await response.json()) as Answer;
}

/** Sends a change. Resolves with the error text, or with `undefined` when it succeeded. */
export async function change(path: string, body: unknown): Promise<string | undefined> {
  try {
    const response = await request(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (response.ok) return undefined;
    return ((await response.json()) as { error?: string }).error ?? `The process answered ${response.status}.`;
  } catch {
    return "The process does not answer.";
  }
}
