/** 0.3, 12, 1,250: a number with the digits that matter. */
export function number(value: number): string {
  if (value < 0.05) return "0";
  if (value < 10) return value.toFixed(1);
  return Math.round(value).toLocaleString("en");
}

/** 1,250: a count. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}

/** 0, 0.5, 20: a number of an axis, without trailing zeros. */
export function tick(value: number): string {
  return Number(value.toPrecision(4)).toLocaleString("en");
}

/** A share of 0 to 1 in percent; 100 % only when nothing failed. */
export function percent(share: number | null): string {
  if (share === null) return "–";
  if (share === 1 || share === 0) return `${share * 100} %`;
  const shown = share >= 0.9995 ? "> 99.9" : share < 0.0005 ? "< 0.1" : (share * 100).toFixed(1);
  return `${shown} %`;
}

/** A share of 0 to 1 that was chosen, and not measured, in percent: 0.05 %, 50 %. */
export function share(value: number): string {
  return `${Number((value * 100).toFixed(2))} %`;
}

/** Milliseconds, written in ms or s. */
export function duration(ms: number): string {
  if (ms < 0.995) return `${ms.toFixed(2)} ms`;
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}

/** A time span in milliseconds, written in s, min, h or d. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 72 ? `${hours} h` : `${Math.round(hours / 24)} d`;
}

/** The time of day of a timestamp in milliseconds. */
export function timeOfDay(atMs: number): string {
  return new Date(atMs).toLocaleTimeString("en-GB");
}

/** `1 endpoint`, `3 endpoints`. */
export function count(value: number, one: string): string {
  return `${value.toLocaleString("en")} ${one}${value === 1 ? "" : "s"}`;
}

/** `text` cut to `length` characters. */
export function short(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
