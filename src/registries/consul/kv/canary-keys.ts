import { refuseOption } from "../../../core/settings/checks.ts";
import type { CanaryEntry, CanaryState } from "../../../routing/canary/canary-state.ts";
import { field } from "../entries/json.ts";
import { ConsulClient } from "../http/client.ts";
import { ConsulError } from "../http/consul-error.ts";
import { rawGet, rawPut } from "../http/raw-call.ts";
import type { ConsulSettings } from "../options.ts";
import { KeySession } from "./key-session.ts";

/** Time for an answer, in milliseconds. */
const timeoutMs = 2_000;
/** In bytes: a canary has some hundred bytes for each process. */
const maxBodyBytes = 4 * 1024 * 1024;

/**
 * A {@link CanaryState} in Consul's store, below the key `prefix`: decisions are written by the index of their key (`cas`), so that of two processes one is first,
 * and what a process has counted is held by its session, so that it is gone soon after the process.
 * @throws TypeError for a prefix that is no key.
 */
export function canaryKeys(settings: ConsulSettings, prefix: string): CanaryState {
  const segments = typeof prefix === "string" ? prefix.split("/") : [];
  if (segments.length === 0 || segments.some((segment) => segment === "" || segment === "." || segment === ".."))
    refuseOption("consul: canaryState", prefix, 'a key such as "inmesh/canaries", without a slash at either end');
  const client = new ConsulClient(settings);
  const session = new KeySession(client, settings.clock);
  const pathOf = (...names: readonly string[]) => `/kv/${[...segments, ...names.join("/").split("/")].map(encodeURIComponent).join("/")}`;
  const put = async (path: string, value: string, options: Readonly<Record<string, string>>, signal: AbortSignal): Promise<boolean> => {
    const { body } = await client.ask({ call: rawPut(path, { value }), options, timeoutMs, signal, keepsProcess: false });
    return body === true;
  };
  return {
    name: settings.name,
    async read(key, signal) {
      const call = rawGet(`${pathOf(key)}/`, { mayBeAbsent: true });
      const { body } = await client.ask({ call, options: { recurse: true }, timeoutMs, maxBodyBytes, signal, keepsProcess: false });
      return entriesIn(body, `${prefix}/${key}/`);
    },
    async write(key, name, value, condition, signal) {
      if (condition !== "own") return put(pathOf(key, name), value, { cas: condition === "absent" ? "0" : condition.version }, signal);
      return session.hold((id) => put(pathOf(key, name), value, { acquire: id }, signal), signal);
    },
    async close() {
      await session.end();
      client.closeIdle();
    },
  };
}

/** The entries in an answer about a folder, which come in the form in which they were written. */
function entriesIn(body: unknown, folder: string): ReadonlyMap<string, CanaryEntry> {
  if (body === undefined) return new Map();
  if (!Array.isArray(body)) throw new ConsulError("the answer is no list of keys");
  const entries = new Map<string, CanaryEntry>();
  for (const row of body as unknown[]) {
    const key = field(row, "Key");
    const index = field(row, "ModifyIndex");
    const text = field(row, "Value");
    if (typeof key !== "string" || !key.startsWith(folder) || typeof index !== "number" || typeof text !== "string") continue;
    const value = valueIn(text);
    if (value !== undefined) entries.set(key.slice(folder.length), { value, version: String(index) });
  }
  return entries;
}

/** Anything that another program has written there is no entry. */
function valueIn(encoded: string): string | undefined {
  try {
    const value = field(JSON.parse(Buffer.from(encoded, "base64").toString("utf8")), "value");
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}
