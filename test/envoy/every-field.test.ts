import { describe, expect, it } from "vitest";
import { importEnvoyText } from "../../src/envoy/envoy.ts";
import { bootstrap } from "../../src/envoy/schema/bootstrap.ts";
import { type FieldCase, fieldsOf } from "./every-field.ts";
import { alone, asHere, baseFile, needs, notThrough } from "./every-field-base.ts";

type Data = Record<string | number, unknown>;

/** The file with what a field needs around it, with the field or without. */
function fileWith({ path, above, value, message, field }: FieldCase, isSet: boolean): string {
  const file = structuredClone(baseFile) as Data;
  for (const each of above) {
    const at = placeOf(file, each.path);
    if (each.type !== undefined && at["@type"] !== `type.googleapis.com/${each.type}`) {
      for (const name of Object.keys(at)) delete at[name];
      at["@type"] = `type.googleapis.com/${each.type}`;
    }
    const next = nameAfter(path, each.path);
    for (const name of alone[each.message] ?? []) if ((alone[each.message] ?? []).includes(next) && name !== next) delete at[name];
    for (const [name, needed] of Object.entries(needs[each.message] ?? {}))
      if (!(name in at) && !isRival(each.message, name, next)) at[name] = structuredClone(needed);
    for (const [name, needed] of Object.entries(needs[`${each.message}.${next}`] ?? {})) at[name] = structuredClone(needed);
  }
  const parent = placeOf(file, path.slice(0, -1));
  if (isSet) parent[field] = value;
  else delete parent[field];
  void message;
  return JSON.stringify(file);
}

function isRival(message: string, name: string, next: string): boolean {
  const rivals = alone[message] ?? [];
  return rivals.includes(name) && rivals.includes(next);
}

function nameAfter(path: FieldCase["path"], above: FieldCase["path"]): string {
  return String(path[above.length]);
}

/** The object at a path, made where there is none. */
function placeOf(file: Data, path: FieldCase["path"]): Data {
  let at: Data = file;
  for (const [index, name] of path.entries()) {
    at[name] ??= typeof path[index + 1] === "number" ? [] : {};
    at = at[name] as Data;
  }
  return at;
}

async function outcomeOf(
  text: string,
): Promise<{ readonly data: string; readonly notices: readonly string[]; readonly error: string | undefined }> {
  try {
    const { data, notices } = await importEnvoyText(text, "f.yaml");
    return { data: JSON.stringify(data), notices: notices.map(({ field, message }) => `${field}: ${message}`), error: undefined };
  } catch (error) {
    return { data: "", notices: [], error: (error as Error).message };
  }
}

const cases = fieldsOf(bootstrap, notThrough);
const named = cases.map((each) => [`${each.message}.${each.field} = ${JSON.stringify(each.value)}`, each] as const);

describe("every field of every table", () => {
  it("is found", () => {
    expect(cases.length).toBeGreaterThan(600);
  });

  it.each(named)("has an effect, a notice or an error: %s", async (name, each) => {
    const [without, given] = [await outcomeOf(fileWith(each, false)), await outcomeOf(fileWith(each, true))];
    if (each.isSettled || asHere.has(name)) return;
    if (given.error !== undefined) {
      expect(given.error).toMatch(/^f\.yaml:\d+:\d+: /);
      expect(given.error).toContain(each.field);
      expect(given.error).not.toBe(without.error);
      // That is what is said of a field that was forgotten.
      expect(given.error).not.toContain("has no effect");
      return;
    }
    const told = given.notices.filter((notice) => !without.notices.includes(notice));
    const isEffective = given.data !== without.data;
    expect(
      [isEffective ? "effect" : "", ...told].filter((word) => word === "effect" || word.includes(`.${each.field}`)),
      fileWith(each, true),
    ).not.toEqual([]);
  });
});
