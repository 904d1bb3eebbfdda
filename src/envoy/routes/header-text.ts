import { literal } from "../text/data.ts";
import type { Part } from "../text/part.ts";

/** A value of a header: a text, or one that is made from the request, in the form that rules have. */
export interface HeaderTextParts {
  /** Braces stand for parts of the request, `{{` for a brace. */
  readonly text: string;
  readonly isMade: boolean;
}

/** Envoy's commands without arguments, by what they are called here. */
const commands: Readonly<Record<string, string>> = {
  DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: "{client.address}",
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT: "{client.address}",
};

const pseudo: Readonly<Record<string, string>> = {
  ":path": "{target}",
  ":method": "{method}",
  ":authority": "{host}",
  ":scheme": "{scheme}",
};

const command = /%%|%([A-Z_]+)(?:\(([^)]*)\))?(?::\d+)?%|[^%]+|%/g;

/** Reads a value with Envoy's commands. @throws EnvoyError for one that only a proxy could fill in. */
export function headerText(value: Part): HeaderTextParts {
  let isMade = false;
  const pieces = [...(value.text() ?? "").matchAll(command)].map(([whole, name, argument = ""]) => {
    if (name === undefined) {
      if (whole === "%") value.refuse("HeaderValue.value: a % begins a command such as %REQ(x-user)%; %% stands for a percent sign");
      return braced(literal(whole === "%%" ? "%" : whole));
    }
    if (name === "ENVIRONMENT" && argument !== "") return `\${env:${argument}}`;
    if (name === "HOSTNAME" && argument === "") return `\${env:HOSTNAME}`;
    const made = name === "REQ" ? ofRequest(argument) : argument === "" ? commands[name] : undefined;
    if (made === undefined)
      return value.refuse(
        `HeaderValue.value: ${whole} is not supported; there are %%, %REQ(NAME)%, %ENVIRONMENT(NAME)%, %HOSTNAME% and %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%`,
      );
    isMade = true;
    return made;
  });
  return { text: pieces.join(""), isMade };
}

/** A value as a rule has it. */
export function asHeaderValue({ text, isMade }: HeaderTextParts): string | { readonly text: string } {
  return isMade ? { text } : text.replaceAll("{{", "{").replaceAll("}}", "}");
}

/** Several values in one line (RFC 9110 §5.3). */
export function joined(values: readonly HeaderTextParts[]): HeaderTextParts {
  return { text: values.map(({ text }) => text).join(", "), isMade: values.some(({ isMade }) => isMade) };
}

function ofRequest(argument: string): string | undefined {
  const name = argument.toLowerCase();
  if (name.startsWith(":")) return Object.hasOwn(pseudo, name) ? pseudo[name] : undefined;
  return /^[\w-]+$/.test(name) ? `{header.${name}}` : undefined;
}

function braced(text: string): string {
  // A reference to a secret or a variable keeps its braces.
  return text.replace(/[{}]/g, (brace) => brace + brace);
}
