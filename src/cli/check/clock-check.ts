import { type Finding, fail, ok, warn } from "./finding.ts";
import type { ProbeAnswer } from "./http-probe.ts";

const warnMs = 5_000;
const failMs = 60_000;

/** Compares the clock of this machine with the Date header of an answer, which has whole seconds. */
export function clockFinding({ headers, atMs, ms }: Pick<ProbeAnswer, "headers" | "atMs" | "ms">): Finding {
  const theirs = Date.parse(headers.date ?? "");
  if (Number.isNaN(theirs))
    return warn("clock", "the registry sends no Date header to compare with", "compare by hand: date -u on both machines");
  // The header is truncated to the second, and half of the round trip has passed since.
  const offsetMs = atMs - ms / 2 - (theirs + 500);
  const isCertainMs = Math.max(0, Math.abs(offsetMs) - 500 - ms / 2);
  const seconds = (Math.abs(offsetMs) / 1_000).toFixed(1);
  if (isCertainMs <= warnMs) return ok("clock", "this machine and the registry agree");
  const message = `this machine is ${seconds} s ${offsetMs > 0 ? "ahead of" : "behind"} the registry`;
  const fix = "synchronise both clocks (timedatectl set-ntp true, or chrony): certificates, tokens and leases end by them";
  return isCertainMs > failMs ? fail("clock", message, fix) : warn("clock", message, fix);
}
