import { refuseOption } from "../../../core/settings/checks.ts";
import { askUntilAborted } from "../blocking-loop.ts";
import { field } from "../entries/json.ts";
import { ConsulClient } from "../http/client.ts";
import { ConsulError } from "../http/consul-error.ts";
import { rawGet } from "../http/raw-call.ts";
import type { ConsulSettings } from "../options.ts";

/** Hears of the value of a key. */
export interface KeyListener {
  /** A new value, or the same again after a failure. */
  update(text: string): void;
  /** The store could not be asked, or there is no such key. */
  fail(error: Error): void;
}

/** Follows the value of a key until it is closed. */
export class KeyWatch {
  readonly #key: string;
  readonly #listener: KeyListener;
  readonly #client: ConsulClient;
  readonly #closing = new AbortController();
  /** The value that was told last. A wait that is over confirms it. */
  #told: string | undefined = undefined;

  constructor(settings: ConsulSettings, key: string, listener: KeyListener) {
    this.#key = key;
    this.#listener = listener;
    this.#client = new ConsulClient(settings);
    // By `default`, whatever the options say of instances: a server that lags behind may still have what is withdrawn.
    const query = settings.consistency === "consistent" ? { consistent: "1" } : {};
    const call = rawGet(`/kv/${key.split("/").map(encodeURIComponent).join("/")}`, { mayBeAbsent: true });
    const loop = { call, query, onAnswer: this.#onAnswer, onError: this.#onError };
    // In a turn of its own: nothing is told before `watch` has returned.
    queueMicrotask(() => void askUntilAborted(this.#client, settings, loop, this.#closing.signal));
  }

  close(): void {
    this.#closing.abort();
    this.#client.closeIdle();
  }

  readonly #onAnswer = (body: unknown): boolean => {
    const text = body === undefined ? undefined : textIn(body);
    if (text === undefined) {
      this.#told = undefined;
      this.#listener.fail(new Error("there is no such key, or it has no value"));
    } else if (text !== this.#told) {
      this.#told = text;
      this.#listener.update(text);
    }
    return true;
  };

  readonly #onError = (error: ConsulError): void => {
    // Told once more when it answers: a failure has been said since.
    this.#told = undefined;
    const hint = error.status === 403 ? ` (the token needs key:read for "${this.#key}")` : "";
    this.#listener.fail(new Error(`${error.message}${hint}`, { cause: error }));
  };
}

/** The value in an answer about one key; `undefined` where it has none. */
function textIn(body: unknown): string | undefined {
  if (!Array.isArray(body) || body.length !== 1) throw new ConsulError("the answer is no value of one key");
  const value = field(body[0], "Value");
  if (value === null || value === undefined) return undefined;
  if (typeof value !== "string") throw new ConsulError("the answer has a value that is no text");
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.from(value, "base64"));
  } catch {
    throw new ConsulError("the value of the key is no UTF-8");
  }
}

/**
 * Checks a key. `option` names it in errors.
 * @throws TypeError for a text that is no key of a value: none, one with an empty or a dot segment, one of a folder.
 */
export function checkKey(option: string, key: unknown): asserts key is string {
  const segments = typeof key === "string" ? key.split("/") : [];
  if (segments.length === 0 || segments.some((segment) => segment === "" || segment === "." || segment === ".."))
    refuseOption(`consul: ${option}`, key, `a key such as "inmesh/orders/${option}", without a slash at either end`);
}
