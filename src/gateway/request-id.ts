import { randomUUID } from "node:crypto";

/** Ids as programs write them: a longer or odd one could forge lines of a log. */
const form = /^[\w.:=+/@-]{1,128}$/;

/** The id of a request: that of a trusted peer, or a new one. */
export function idOf(given: string | undefined): string {
  return given !== undefined && form.test(given) ? given : randomUUID();
}
