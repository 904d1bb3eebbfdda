import { isDefault } from "./message.ts";
import type { Part } from "./part.ts";

/**
 * Says of each field that is known, and that nothing has read, why it has no effect. One that no table has a reason for is an error: without it the field
 * would be dropped without a word.
 */
export function tellUnread(part: Part): void {
  const { accepted } = part;
  if (accepted !== undefined && !part.isRead && !isDefault(part)) {
    const { field, whenUnread, isMessage = false } = accepted;
    const saysMore = isMessage && (part.fields?.size ?? 0) > 0;
    if (whenUnread !== undefined) {
      part.notice("nothing", field, whenUnread);
      return;
    }
    if (!saysMore) part.refuse(`${field} has no effect beside the other fields, or in this place; take it out`);
  }
  if (Array.isArray(part.value)) for (const each of part.value) tellUnread(each);
  else for (const each of part.fields?.values() ?? []) tellUnread(each);
}
