import { askToken } from "./token-dialog.ts";

/** Kept in this page alone, and gone with it. */
let token: string | undefined;
let asking: Promise<string | undefined> | undefined;

/** Whether requests wait for the user to give the token. */
export function isAsking(): boolean {
  return asking !== undefined;
}

/** A request to this server. Where it takes a token the user is asked for it, once for all requests that wait. */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  for (;;) {
    const sent = token;
    const headers = { ...(init.headers as Record<string, string> | undefined), ...(sent && { authorization: `Bearer ${sent}` }) };
    const response = await fetch(path, { ...init, headers });
    if (response.status !== 401) return response;
    // Another request has asked meanwhile.
    if (token !== sent) continue;
    asking ??= askToken(sent !== undefined).finally(() => {
      asking = undefined;
    });
    token = await asking;
    if (token === undefined) return response;
  }
}

/** What the server answers to a GET; `undefined` when it does not know it. */
export async function read<Answer>(path: string, signal: AbortSignal): Promise<Answer | undefined> {
  const response = await request(path, { signal });
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`${response.status}`);
  return (await response.json()) as Answer;
}

/** Changes something; what was wrong, if anything was. */
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
