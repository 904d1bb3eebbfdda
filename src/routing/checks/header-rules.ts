import { headerFault } from "../../core/http/request-headers.ts";
import { refuseOption } from "../../core/settings/checks.ts";
import { list, type MayBeAbsent, named, part, textOr } from "../../core/settings/composite-rules.ts";
import type { OptionRule } from "../../core/settings/option-rule.ts";
import { optionTable } from "../../core/settings/option-table.ts";
import { custom } from "../../core/settings/rules.ts";
import { compileText } from "../actions/header-text.ts";
import type { HeaderChanges, HeaderText, HeaderValue } from "../route.ts";
import { checkSetHeader, faultOf, textWithout } from "./value-rules.ts";

const textTable = optionTable<HeaderText>()({
  text: textWithout((text) => faultOf(() => compileText(text)) ?? valueFault(text)) as OptionRule<string>,
});

/** The value may be a credential: it is not shown. */
function valueFault(value: string): string | undefined {
  return headerFault("x", value)?.replace("has a value with", "has");
}

const valueRule: MayBeAbsent<HeaderValue> = textOr(
  part(textTable, (option, { text }) => {
    if (text === undefined) throw new TypeError(`${option} needs a text`);
  }),
  (option, value) => {
    const fault = valueFault(value);
    if (fault !== undefined) throw new TypeError(`${option} ${fault}`);
  },
);

const headerName: MayBeAbsent<string> = custom<string | undefined>({
  type: "string",
  default: undefined,
  check(option, value) {
    if (typeof value !== "string" || value === "") refuseOption(option, value, "the name of a header");
    checkSetHeader(option, value);
  },
});

const changesTable = optionTable<HeaderChanges>()({
  remove: list(headerName, 0),
  set: named(valueRule, checkSetHeader),
  setIfAbsent: named(valueRule, checkSetHeader),
  add: named(valueRule, checkSetHeader),
});

/** Changes of the headers of a request. */
export const headerChanges: MayBeAbsent<HeaderChanges> = part(changesTable);

/** Changes of the headers of a response, which has no parts of a request. */
export const responseChanges: MayBeAbsent<HeaderChanges> = part(changesTable, (option, changes) => {
  for (const kind of ["set", "setIfAbsent", "add"] as const) {
    for (const [name, value] of Object.entries(changes[kind] ?? {}))
      if (typeof value !== "string")
        throw new TypeError(`${option}.${kind}.${name} must be a string: a response has no parts of a request`);
  }
});

/** Headers of a direct answer. */
export const answerHeaders: MayBeAbsent<Readonly<Record<string, string>>> = named(
  custom<string | undefined>({
    type: "string",
    default: undefined,
    check(option, value) {
      if (typeof value !== "string") refuseOption(option, value, "a string");
      const fault = valueFault(value);
      if (fault !== undefined) throw new TypeError(`${option} ${fault}`);
    },
  }),
  checkSetHeader,
);
