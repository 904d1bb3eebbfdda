import { quoted } from "../../core/text/clean-text.ts";
import { nearestName } from "../../suggestions/nearest-name.ts";
import { formed, type Kind } from "./message.ts";
import type { Part } from "./part.ts";

/** A text. */
export const text: Kind = formed({ samples: ["sample"] }, (part, field) => {
  if (typeof part.value !== "string") part.refuse(`${field} must be a text, not ${shown(part)}`);
});

/** A name that Envoy itself has for its figures alone, or for nothing. */
export const label: Kind = formed({ samples: ["sample"], isSettled: true }, (part, field) => {
  text(part, field);
  part.settle();
});

/** A text that is not empty. */
export const name: Kind = formed({ samples: ["sample"] }, (part, field) => {
  text(part, field);
  if (part.value === "") part.refuse(`${field} must not be empty`);
});

/** `true` or `false`; Envoy's reader of YAML knows the older words too. */
export const flag: Kind = formed({ samples: [true] }, (part, field) => {
  const word = typeof part.value === "string" ? part.value.toLowerCase() : "";
  if (/^(?:true|yes|y|on)$/.test(word)) part.value = true;
  else if (/^(?:false|no|n|off)$/.test(word)) part.value = false;
  if (typeof part.value !== "boolean") part.refuse(`${field} must be true or false, not ${shown(part)}`);
});

/** A whole number; in JSON of protobuf it may be a text. */
export function whole(min = 0, max = 4_294_967_295): Kind {
  const samples = [min, Math.min(max, min + 3), Math.min(max, 7), Math.min(max, 203)];
  return formed({ samples: [...new Set(samples)].filter((each) => each >= min && each !== 0) }, (part, field) => {
    if (typeof part.value === "string" && /^-?\d+$/.test(part.value)) part.value = Number(part.value);
    const { value } = part;
    if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max)
      part.refuse(`${field} must be a whole number from ${min} to ${max}, not ${shown(part)}`);
  });
}

export const real: Kind = formed({ samples: [0.5, 7] }, (part, field) => {
  if (typeof part.value === "string" && /^-?\d+(?:\.\d+)?$/.test(part.value)) part.value = Number(part.value);
  if (typeof part.value !== "number" || !Number.isFinite(part.value)) part.refuse(`${field} must be a number, not ${shown(part)}`);
});

/** `0.25s`. */
export const duration: Kind = formed({ samples: ["7s", "0s"] }, (part, field) => {
  if (part.fields !== undefined) asText(part, field);
  if (typeof part.value === "number") {
    part.notice("slip", field, `a duration is a text with its unit: ${part.value}s`);
    part.value = `${part.value}s`;
  }
  const { value } = part;
  if (typeof value !== "string" || !/^\d{1,12}(?:\.\d{1,9})?s$/.test(value))
    part.refuse(`${field} must be a duration in seconds, such as 0.25s, not ${shown(part)}`);
});

/** `{ seconds: 5 }`, the message itself, which the form of JSON has as `5s`. */
function asText(part: Part, field: string): void {
  const [seconds, nanos] = [Number(part.at("seconds")?.value ?? 0), Number(part.at("nanos")?.value ?? 0)];
  const others = [...(part.fields as Map<string, Part>).keys()].find((each) => each !== "seconds" && each !== "nanos");
  if (others !== undefined || !Number.isInteger(seconds) || !Number.isInteger(nanos)) return;
  part.value = `${Number((seconds + nanos / 1e9).toFixed(9))}s`;
  part.notice("slip", field, `a duration is a text with its unit: ${part.value}`);
}

/** One of these names. `slips` are others that are read as one of them. Protobuf allows the number of a name too. */
export function choice(names: readonly string[], slips: Readonly<Record<string, string>> = {}): Kind {
  return formed({ samples: names }, (part, field) => {
    const { value } = part;
    const meant = typeof value === "string" && Object.hasOwn(slips, value) ? slips[value] : undefined;
    if (meant !== undefined) {
      part.notice("slip", field, `there is no ${quoted(value)}; it is read as ${meant}, as v3 has it`);
      part.value = meant;
      return;
    }
    if (typeof value === "number" && names[value] !== undefined) part.value = names[value];
    // Envoy takes names in either case.
    if (typeof value === "string" && names.includes(value.toUpperCase())) part.value = value.toUpperCase();
    if (typeof part.value === "string" && names.includes(part.value)) return;
    const nearest = typeof value === "string" ? nearestName(value, names) : undefined;
    part.refuse(
      `${field} must be one of ${names.join(", ")}, not ${shown(part)}${nearest === undefined ? "" : `; did you mean ${nearest}?`}`,
    );
  });
}

/** One of these names, each of which means what inmesh does. */
export function settled(names: readonly string[]): Kind {
  const kind = choice(names);
  return formed({ samples: names, isSettled: true }, (part, field) => {
    kind(part, field);
    part.settle();
  });
}

/** A list. Protobuf takes no single element in its place. */
export function list(kind: Kind): Kind {
  return formed({ list: kind }, (part, field) => {
    if (!Array.isArray(part.value)) return part.refuse(`${field} must be a list, not ${shown(part)}`);
    for (const [index, each] of part.value.entries()) {
      each.accept(`${field}[${index}]`, part.accepted?.whenUnread);
      kind(each, `${field}[${index}]`);
    }
  });
}

/** An object whose names are the author's. */
export function mapOf(kind: Kind): Kind {
  return formed({ map: kind }, (part, field) => {
    if (part.fields === undefined) return part.refuse(`${field} must be an object, not ${shown(part)}`);
    for (const [key, each] of part.fields) {
      each.accept(`${field}[${quoted(key)}]`, part.accepted?.whenUnread);
      kind(each, `${field}[${quoted(key)}]`);
    }
  });
}

/** Data of any form. */
export const struct: Kind = formed({ samples: [{ sample: "x" }] }, (part, field) => {
  if (part.fields === undefined) part.refuse(`${field} must be an object, not ${shown(part)}`);
});

/** A message without fields. */
export const marker: Kind = formed({ samples: [{}] }, (part, field) => {
  const [other] = part.fields ?? [];
  if (part.fields === undefined) part.refuse(`${field} must be an object, not ${shown(part)}`);
  else if (other !== undefined) other[1].refuse(`${field} has no fields here: ${quoted(other[0])}`);
});

/** A kind whose value is settled when it is checked: it changes nothing. */
export function inert(kind: Kind): Kind {
  return formed({ ...kind.form, isSettled: true }, (part, field) => {
    kind(part, field);
    part.settle();
  });
}

/** The beginning of every `@type`. */
const typePrefix = "type.googleapis.com/";

/** The type of a part that says it itself, without its prefix. */
export function typeOf(part: Part | undefined): string | undefined {
  return part?.peek("@type")?.replace(/^.*\//, "");
}

/** A message that names its own type. Types are given without their prefix. */
export function anyOf(kinds: () => Readonly<Record<string, Kind>>, renamed: Readonly<Record<string, string>> = {}): Kind {
  return formed({ types: kinds }, (part, field) => {
    const type = part.take("@type");
    if (type === undefined) return part.refuse(`${field} must say its type: "@type": ${typePrefix}…`);
    const given = String(type.value).replace(/^.*\//, "");
    const current = Object.hasOwn(renamed, given) ? renamed[given] : undefined;
    if (current !== undefined) type.notice("v2", `${field}.@type`, `${given} is of the second API; its name in v3 is ${current}`);
    const wanted = current ?? given;
    const known = kinds();
    const kind = Object.hasOwn(known, wanted) ? known[wanted] : undefined;
    if (kind === undefined) {
      const nearest = nearestName(wanted, Object.keys(known));
      return type.refuse(
        `${field}: the type ${quoted(wanted)} is not supported; ${nearest === undefined ? `there are ${Object.keys(known).join(", ")}` : `did you mean ${nearest}?`}`,
      );
    }
    kind(part, field);
    part.value = new Map([["@type", type.anew(`${typePrefix}${wanted}`)], ...(part.fields ?? [])]);
  });
}

/** A value as messages show it; a text is cut off. */
export function shown(part: Part): string {
  const { value } = part;
  if (Array.isArray(value)) return "a list";
  return value instanceof Map ? "an object" : quoted(value);
}
