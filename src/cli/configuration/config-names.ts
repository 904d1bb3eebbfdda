import type { ConfigNames } from "../../config/config.ts";

/** Stands for whatever the program gives. */
const unknown = Object.assign(() => undefined, { pick: () => undefined, watch: () => undefined, begin: () => undefined });

/** Names that a program gives to `fromFile`, for a command that does not know what they stand for. */
export function unknownNames(names: readonly string[]): ConfigNames {
  const make = Object.fromEntries(names.map((name) => [name, () => unknown as never]));
  const observers = Object.fromEntries(names.map((name) => [name, () => ({})]));
  const values = Object.fromEntries(names.map((name) => [name, unknown]));
  return { pickers: make, discoveries: make, identities: make, limits: make, observers, values };
}

/** The option for such names. */
export const codeOption = {
  code: {
    type: "string",
    multiple: true,
    value: "NAME",
    help: "A name that the program gives to `fromFile`, of a picker, a source of endpoints or another value; may be repeated. What it gives is not known here.",
  },
} as const;
