/** Named figures of others in one line, numbers with three significant digits: `cost 25.2, load 2`. Not cleaned. */
export function figuresLine(figures: Readonly<Record<string, number | string>>): string {
  return Object.entries(figures)
    .map(([name, value]) => `${name} ${typeof value === "number" ? figure(value) : value}`)
    .join(", ");
}

/** A number with three significant digits. */
export function figure(value: number): string {
  return String(Number(value.toPrecision(3)));
}
