/** The `idempotency_level` of a method, by its number in the options of methods of Protobuf. */
export const idempotencyLevel = { unknown: 0, noSideEffects: 1, idempotent: 2 } as const;

/** Whether a method of this level may be executed twice. `undefined` and the level that says nothing: it may not. */
export function mayBeRepeated(level: number | undefined): boolean {
  return level === idempotencyLevel.noSideEffects || level === idempotencyLevel.idempotent;
}
