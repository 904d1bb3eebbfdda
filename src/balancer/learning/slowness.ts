import { slowPause } from "./try-pauses.ts";

/** A difference counts after this time, in milliseconds. */
const mildAfterMs = 3_000;
/**
 * An instance that is a little slower has more than its full share for this time, in milliseconds, and for so many requests, to show whether it
 * still is: caches fill and code is compiled by requests, and some of both is lost while it is called less.
 */
const trialMs = 2_000;
const trialPicks = 40;
const mostTrialMs = 10_000;
/** The latency, as a part of the fastest, that it counts as meanwhile: its share is half as much again. */
const trialRatio = 0.95;
/** First and longest pause between two trials, in milliseconds. */
const firstTrialMs = 6_000;
const mostTrialsMs = 64_000;
/** Number of picks per candidate in which an alarm is forgotten. */
const alarmPicks = 500;
/** A slow answer of an instance that is avoided already is this part of an alarm. */
const repeatedAlarm = 0.5;

/** Since when, and how often, an instance has been slower than the others. */
export class Slowness {
  // NaN and not 0, so that V8 keeps the fields as doubles from the start.
  /** Since when it has been avoided for that; `NaN` while it is not. */
  avoidedSince = Number.NaN;
  /** Since when one request has waited, or one response has taken, longer than chance explains. */
  suspectSince = Number.NaN;
  /** Since when it has been slower by a little. */
  #mildSince = Number.NaN;
  #trialAt = Number.NaN;
  #trialUntil = Number.NaN;
  #trials = 0;
  /** How often it was suspected lately. */
  #alarms = 0;
  #alarmAt = Number.NaN;

  /** One wait is beyond chance; `startedAt` is the start of the attempt, `NaN` while it waits still. */
  suspect(now: number, startedAt: number): void {
    if (startedAt >= this.avoidedSince) this.#alarms += repeatedAlarm;
    this.suspectSince = now;
  }

  /**
   * Tells whether it is so slow that it is avoided.
   * @param fairMs mean time between two picks of each candidate
   */
  see(isAvoided: boolean, now: number, fairMs: number): void {
    if (isAvoided === !Number.isNaN(this.avoidedSince)) return;
    this.avoidedSince = isAvoided ? now : Number.NaN;
    if (!isAvoided || Number.isNaN(this.suspectSince)) return;
    const forgotten = Number.isNaN(this.#alarmAt) ? 0 : Math.exp((this.#alarmAt - now) / (alarmPicks * fairMs));
    this.#alarms = this.#alarms * forgotten + 1;
    this.#alarmAt = now;
  }

  /** The time from which it may be tried although it is avoided for its slowness. */
  tryAt(isSafe: boolean, triedAt: number, fairMs: number): number {
    return triedAt + slowPause({ sureness: 1, lastedMs: triedAt - this.avoidedSince, relapses: this.#alarms - 1 }, isSafe, fairMs);
  }

  /**
   * The ratio that a small difference counts as at present: none for some seconds, and while it is put to the test. An instance may be slow
   * because it is called less.
   * @param fairMs mean time between two picks of each candidate
   */
  mild(ratio: number, now: number, fairMs: number): number {
    if (Number.isNaN(this.#mildSince)) {
      this.#mildSince = now;
      this.#trials = 0;
      this.#tryFrom(now + firstTrialMs, fairMs);
    } else if (now >= this.#trialUntil) {
      this.#trials++;
      this.#tryFrom(now + Math.min(mostTrialsMs, 4_000 * 2 ** this.#trials), fairMs);
    }
    return this.mildAt(ratio, now);
  }

  /** The same, without being looked at by a pick. */
  mildAt(ratio: number, now: number): number {
    if (!(now >= this.#mildSince + mildAfterMs)) return 1;
    return now >= this.#trialAt && now < this.#trialUntil ? trialRatio : ratio;
  }

  /** It is not slower by a little at present. */
  endMild(): void {
    this.#mildSince = Number.NaN;
  }

  #tryFrom(at: number, fairMs: number): void {
    this.#trialAt = at;
    this.#trialUntil = at + Math.min(mostTrialMs, Math.max(trialMs, trialPicks * fairMs));
  }
}
