import { quoted } from "../../core/text/clean-text.ts";
import { nearestName } from "../../suggestions/nearest-name.ts";
import type { Part } from "./part.ts";

/** The make of a kind, by which the tables can be walked: one of these. */
export interface KindForm {
  readonly message?: string;
  readonly table?: () => MessageTable;
  /** The kind of elements. */
  readonly list?: Kind;
  /** The kind of each value, under any name. */
  readonly map?: Kind;
  readonly types?: () => Readonly<Record<string, Kind>>;
  /** Values that a field of this kind may have. */
  readonly samples?: readonly unknown[];
  /** Whether each value means the same here, or nothing in Envoy itself. */
  readonly isSettled?: boolean;
}

/** Checks a value, writes it in its one form, and refuses what is none. `field` names it in messages: `Cluster.connect_timeout`. */
export interface Kind {
  (part: Part, field: string): void;
  readonly form?: KindForm;
}

/** A kind that says how it is made. */
export function formed(form: KindForm, check: (part: Part, field: string) => void): Kind {
  return Object.assign((part: Part, field: string) => check(part, field), { form });
}

/** The fields that a message of Envoy may have, and what becomes of each here. */
export interface MessageTable {
  /** Fields with a meaning here. */
  readonly fields: Readonly<Record<string, Kind>>;
  /** Fields that have no meaning in process, by the reason: names with spaces between them. Each is a notice. */
  readonly nothing?: Readonly<Record<string, string>>;
  /** Fields that inmesh does otherwise than each of their values says, by the difference. Each is a notice. */
  readonly differs?: Readonly<Record<string, string>>;
  /** Fields among `fields` that a file may have without a use for them, by the reason. Each that was not read is a notice then; others are errors. */
  readonly unread?: Readonly<Record<string, string>>;
  /** Fields of Envoy that inmesh has nothing for, by the reason. Each is an error, unless it is `false`, 0 or empty. */
  readonly missing?: Readonly<Record<string, string>>;
  /** Old forms and slips: writes them in the current form before the fields are looked at. */
  readonly renew?: (part: Part, field: string) => void;
}

/** A kind of message. The table is made when it is first needed, since messages contain each other. */
export function message(name: string, table: () => MessageTable): Kind {
  let made: { readonly table: MessageTable; readonly reasons: Reasons } | undefined;
  return formed({ message: name, table }, (part, field) => {
    if (made === undefined) {
      const fresh = table();
      made = { table: fresh, reasons: reasonsOf(fresh) };
    }
    if (part.fields === undefined) return part.refuse(`${field} must be an object with the fields of ${name}`);
    inSnakeCase(part, made.table, made.reasons);
    made.table.renew?.(part, name);
    // What old forms were told from has not been used yet.
    if (part.accepted !== undefined) {
      part.accept(part.accepted.field, part.accepted.whenUnread);
      part.accepted = { ...part.accepted, isMessage: true };
    }
    for (const [key, value] of part.fields ?? []) checkField(name, key, value, made.table, made.reasons);
  });
}

interface Reasons {
  readonly nothing: ReadonlyMap<string, string>;
  readonly differs: ReadonlyMap<string, string>;
  readonly unread: ReadonlyMap<string, string>;
  readonly missing: ReadonlyMap<string, string>;
}

function reasonsOf({ nothing, differs, unread, missing }: MessageTable): Reasons {
  return { nothing: byName(nothing), differs: byName(differs), unread: byName(unread), missing: byName(missing) };
}

/** Reasons by the names of the fields that have them. */
export function byName(reasons: Readonly<Record<string, string>> = {}): ReadonlyMap<string, string> {
  return new Map(Object.entries(reasons).flatMap(([reason, names]) => names.split(" ").map((name) => [name, reason] as const)));
}

/** The JSON form of protobuf allows `connectTimeout` for `connect_timeout`. */
function inSnakeCase(part: Part, { fields }: MessageTable, { nothing, differs, missing }: Reasons): void {
  const known = (name: string): boolean => Object.hasOwn(fields, name) || [nothing, differs, missing].some((each) => each.has(name));
  const entries = [...(part.fields as Map<string, Part>)];
  if (entries.every(([name]) => !/[A-Z]/.test(name))) return;
  part.value = new Map();
  for (const [name, value] of entries) {
    const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const written = known(snake) ? snake : name;
    if (part.fields?.has(written)) value.refuse(`${quoted(name)} and ${quoted(written)} are the same field`);
    part.set(written, value);
  }
}

function checkField(message: string, name: string, value: Part, { fields }: MessageTable, reasons: Reasons): void {
  const field = `${message}.${name}`;
  const kind = Object.hasOwn(fields, name) ? fields[name] : undefined;
  const meaningless = reasons.nothing.get(name);
  const difference = reasons.differs.get(name);
  const reason = reasons.missing.get(name);
  if (kind !== undefined) {
    value.accept(field, reasons.unread.get(name));
    kind(value, field);
  } else if (meaningless !== undefined) value.notice("nothing", field, meaningless);
  else if (difference !== undefined) value.notice("difference", field, difference);
  else if (reason === undefined) refuseUnknown(message, name, value, fields, [...reasons.nothing.keys(), ...reasons.missing.keys()]);
  else if (!isDefault(value)) value.refuse(`${field} is not supported: ${reason}`);
}

function refuseUnknown(message: string, name: string, value: Part, fields: MessageTable["fields"], others: readonly string[]): never {
  const nearest = nearestName(name, [...Object.keys(fields), ...others]);
  const hint = nearest === undefined ? `it has ${Object.keys(fields).join(", ")}` : `did you mean ${nearest}?`;
  value.refuse(`${message} has no field ${quoted(name)}; ${hint}`);
}

/** For protobuf a field with the default of its kind is as if it were not there. */
export function isDefault({ value }: Part): boolean {
  return value === false || value === 0 || value === "" || (Array.isArray(value) && value.length === 0);
}
