import { request as httpRequest } from "node:http";
import { onTestFinished } from "vitest";
import { type Admin, type AdminOptions, admin } from "../../src/admin/admin.ts";
import type { Mesh } from "../../src/index.ts";

/** Long enough for `admin`. */
export const token = "the-token-of-these-tests";

/** The page of `mesh` on a free port, which ends with the test. */
export async function adminOf(mesh: Mesh, options: AdminOptions = {}): Promise<Admin> {
  const page = await admin(mesh, { port: 0, ...options });
  onTestFinished(() => page.close());
  return page;
}

/** A response. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** A request with exactly these headers: a `fetch` sets Host itself. */
export function ask(
  url: string,
  { method = "GET", headers = {}, body }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port, pathname, search } = new URL(url);
    const request = httpRequest(
      { host: hostname.replace(/^\[|\]$/g, ""), port, path: pathname + search, method, headers, agent: false },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
        response.on("error", reject);
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}

/** A change with everything that it takes, but for what a test replaces. */
export function change(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  return ask(url, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}`, ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}
