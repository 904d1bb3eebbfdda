/**
 * The rooms of `src` whose comments keep to the rules of prose. `index` is `src/index.ts`. A room that has been read is added here;
 * `node test/prose/report.ts` says what is left in the others.
 */
export const readRooms: readonly string[] = ["index"];

/** Pages that have not been read yet, by how their paths begin. */
export const unreadPages: readonly string[] = [];
