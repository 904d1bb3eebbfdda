import type { MeshResponse } from "../../core/dispatch.ts";
import type { Receiver } from "../../core/stages/stage.ts";
import { type CompiledChanges, changedLines } from "./header-changes.ts";

/** A receiver that gets a response with the changes of its headers; the same one where there are none. */
export function changedBy(changes: CompiledChanges | undefined, receiver: Receiver): Receiver {
  return changes === undefined ? receiver : new ChangedResponse(receiver, changes);
}

/** Passes a response on with other headers. */
class ChangedResponse implements Receiver {
  readonly #receiver: Receiver;
  readonly #changes: CompiledChanges;

  constructor(receiver: Receiver, changes: CompiledChanges) {
    this.#receiver = receiver;
    this.#changes = changes;
  }

  answered({ status, statusText, headers, body, upstream }: MeshResponse): void {
    this.#receiver.answered({ status, statusText, headers: changedLines(headers, this.#changes), body, upstream });
  }

  failed(error: unknown): void {
    this.#receiver.failed(error);
  }
}
