import type { DescMessage, FileRegistry } from "@bufbuild/protobuf";
import { nearestName } from "../../suggestions/nearest-name.ts";
import { suggestionOf } from "../registry/likely-name.ts";
import { UsageError } from "../usage-error.ts";
import type { Protobuf } from "./protobuf.ts";

/** Texts of JSON, one after another or one a line, as the values that they are. */
export function jsonValues(text: string, place: string): readonly unknown[] {
  if (text.trim() === "") return [];
  try {
    return [JSON.parse(text)];
  } catch (error) {
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    if (lines.length < 2) throw new UsageError(`${place} is no JSON: ${(error as Error).message}`);
    return lines.map((line, index) => {
      try {
        return JSON.parse(line) as unknown;
      } catch (wrong) {
        throw new UsageError(`${place} is neither one value of JSON nor one a line; line ${index + 1}: ${(wrong as Error).message}`);
      }
    });
  }
}

/**
 * A value of JSON as a message.
 * @throws UsageError with the field that is wrong, and the one that was probably meant.
 */
export function messageOf({ fromJson, toBinary }: Protobuf, desc: DescMessage, registry: FileRegistry, value: unknown): Uint8Array {
  try {
    return toBinary(desc, fromJson(desc, value as never, { registry }));
  } catch (error) {
    const text = (error as Error).message;
    const [, key = ""] = /key "([^"]*)" is unknown/.exec(text) ?? [];
    const nearest = nearestName(
      key,
      [...desc.fields].map(({ jsonName }) => jsonName),
    );
    throw new UsageError(`the message is no ${desc.typeName}: ${text}${suggestionOf(nearest)}`);
  }
}
