/** A value, or the promise of one. What needs no waiting costs no promise: a long file has tens of thousands of parts. */
export type Soon<Value> = Value | Promise<Value>;

/** Goes on with a value when it is there. */
export function after<Value, Result>(soon: Soon<Value>, then: (value: Value) => Result): Soon<Result> {
  return soon instanceof Promise ? soon.then(then) : then(soon);
}

/** Reads `count` parts, each when the one before it has been read. */
export function inTurn<Value>(count: number, read: (index: number) => Soon<Value>): Soon<Value[]> {
  const values: Value[] = [];
  for (let index = 0; index < count; index++) {
    const value = read(index);
    if (value instanceof Promise) return waitingInTurn(values, value, count, read);
    values.push(value);
  }
  return values;
}

async function waitingInTurn<Value>(
  values: Value[],
  next: Promise<Value>,
  count: number,
  read: (index: number) => Soon<Value>,
): Promise<Value[]> {
  values.push(await next);
  while (values.length < count) values.push(await read(values.length));
  return values;
}
