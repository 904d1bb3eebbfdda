import { quoted } from "../../core/text/clean-text.ts";
import type { Options } from "../text/data.ts";
import type { Part } from "../text/part.ts";
import { asHeaderValue, type HeaderTextParts, headerText, joined } from "./header-text.ts";

/** One header after the changes of all levels. */
interface Fate {
  /** Whether what came is taken away. */
  removed: boolean;
  /** The value that replaces what came. */
  set: HeaderTextParts | undefined;
  ifAbsent: HeaderTextParts | undefined;
  readonly added: HeaderTextParts[];
}

/**
 * The changes of several levels as one, from the most to the least specific, as Envoy applies them: of each level first what is removed, then what is
 * added. `undefined` where there are none.
 */
export function changesOf(levels: readonly (Part | undefined)[], kind: "request" | "response"): Options | undefined {
  const fates = new Map<string, Fate>();
  const fateOf = (name: string): Fate => {
    const key = name.toLowerCase();
    const fate = fates.get(key) ?? { removed: false, set: undefined, ifAbsent: undefined, added: [] };
    fates.set(key, fate);
    return fate;
  };
  for (const level of levels) {
    for (const name of level?.list(`${kind}_headers_to_remove`) ?? []) {
      checkName(name, name.text() ?? "");
      Object.assign(fateOf(name.text() ?? ""), { removed: true, set: undefined, ifAbsent: undefined, added: [] });
    }
    for (const option of level?.list(`${kind}_headers_to_add`) ?? []) addTo(fateOf(nameOf(option)), option);
  }
  return fates.size === 0 ? undefined : asChanges(fates);
}

function nameOf(option: Part): string {
  const key = option.at("header", "key") ?? option.refuse("HeaderValueOption.header.key is missing");
  const name = key.text() ?? "";
  checkName(key, name);
  return name;
}

function checkName(part: Part, name: string): void {
  if (name.startsWith(":") || name.toLowerCase() === "host")
    part.refuse(`the header ${quoted(name)} cannot be changed as a header: use host_rewrite_literal or prefix_rewrite`);
}

function addTo(fate: Fate, option: Part): void {
  const value = headerText(option.at("header", "value") ?? option.anew(""));
  // Envoy adds no empty header unless it is told to.
  const keepsEmpty = option.flag("keep_empty_value") === true;
  const action = option.text("append_action") ?? "APPEND_IF_EXISTS_OR_ADD";
  if (value.text === "" && !keepsEmpty) return;
  const isThere = fate.set !== undefined || fate.added.length > 0;
  switch (action) {
    case "OVERWRITE_IF_EXISTS_OR_ADD":
      Object.assign(fate, { removed: false, set: value, ifAbsent: undefined, added: [] });
      return;
    case "ADD_IF_ABSENT":
      if (isThere || fate.ifAbsent !== undefined) return;
      if (fate.removed) fate.set = value;
      else fate.ifAbsent = value;
      return;
    case "OVERWRITE_IF_EXISTS":
      if (isThere) Object.assign(fate, { set: value, added: [] });
      else if (!fate.removed)
        option
          .at("append_action")
          ?.refuse("HeaderValueOption.append_action: OVERWRITE_IF_EXISTS depends on what came; use OVERWRITE_IF_EXISTS_OR_ADD");
      return;
    default:
      fate.added.push(value);
  }
}

function asChanges(fates: ReadonlyMap<string, Fate>): Options {
  const changes = { remove: [] as string[], set: {} as Options, setIfAbsent: {} as Options, add: {} as Options };
  for (const [name, { removed, set, ifAbsent, added }] of fates) {
    if (removed) changes.remove.push(name);
    if (set !== undefined) changes.set[name] = asHeaderValue(set);
    if (ifAbsent !== undefined) changes.setIfAbsent[name] = asHeaderValue(ifAbsent);
    if (added.length > 0) changes.add[name] = asHeaderValue(joined(added));
  }
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => Object.keys(value).length > 0));
}
