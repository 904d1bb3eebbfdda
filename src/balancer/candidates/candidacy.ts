import { quoted } from "../../core/text/clean-text.ts";
import type { Upstream } from "../../core/upstream.ts";
import type { CandidateList } from "./candidate-lists.ts";
import { isLastResort, priorityOf } from "./levels.ts";

/** Whether an upstream may be picked for a first attempt, and why. */
export interface Candidacy {
  /** `true` when first attempts may be sent to it. */
  readonly candidate: boolean;
  /** A sentence for people. */
  readonly reason: string;
  /** The share of the service's requests that its list gets, 0 to 1; absent when it is no candidate. */
  readonly share?: number;
  /** The part of its share that it gets in slow start, below 1; absent outside of slow start. */
  readonly slowStartRatio?: number;
}

/** The facts that the candidacy of an upstream follows from. */
export interface CandidacyFacts {
  /** The list that contains it; `undefined` when there is none. */
  readonly list: CandidateList | undefined;
  /** Discovery lists it. */
  readonly isListed: boolean;
  readonly isInSubset: boolean;
  /** The part of its share that it gets in slow start; 1 outside of slow start. */
  readonly slowStartRatio: number;
}

/** The candidacy of `upstream` in words and numbers. */
export function candidacyOf(upstream: Upstream, { list, isListed, isInSubset, slowStartRatio }: CandidacyFacts): Candidacy {
  if (!isListed) return { candidate: false, reason: "not listed by discovery any more" };
  if (list === undefined || list.share === 0) return { candidate: false, reason: whyNot(upstream, list, isInSubset) };
  const isStarting = slowStartRatio < 1;
  const reason = `${whyUsed(upstream, list)}${isStarting ? `, slow start: ${percent(slowStartRatio)} of its share` : ""}`;
  return { candidate: true, reason, share: list.share, ...(isStarting ? { slowStartRatio } : undefined) };
}

function whyUsed({ state }: Upstream, { share, priority, zone, panic, aperture }: CandidateList): string {
  if (panic === "none") return "out of rotation, but no instance is better";
  if (panic === "some") {
    const where = `${isLastResort({ priority }) ? "the last resort" : `priority ${priority}`} is in panic and takes ${percent(share)} of the requests`;
    return state === "available" ? `in rotation: ${where}` : `out of rotation, but ${where}`;
  }
  if (isLastResort({ priority })) return `last resort, since discovery lists it no longer: takes ${percent(share)} of the requests`;
  if (share === 1) return "in rotation";
  if (aperture === "whole") return `in rotation: the whole ones in the aperture take ${percent(share)} of the requests`;
  if (aperture === "cut") return `in rotation: partly in the aperture, takes ${percent(share)} of the requests`;
  return `in rotation: ${zone === undefined ? `priority ${priority}` : nameOf(zone.name)} takes ${percent(share)} of the requests`;
}

function whyNot(upstream: Upstream, list: CandidateList | undefined, isInSubset: boolean): string {
  if (!isInSubset) return "outside the subset";
  if (upstream.wantsProbe) return "waits for a probe";
  if (upstream.state !== "available") return "out of rotation";
  if (upstream.unconfirmed) return "last resort: discovery lists it no longer, and those that it lists take all requests";
  if (list?.zone !== undefined) return `${nameOf(list.zone.name)}: retries only, the others take all requests`;
  if (upstream.weight === 0) return "weight 0: picked only when nothing else is left";
  return `priority ${priorityOf(upstream)}: instances of a lower number take all requests`;
}

function nameOf(zone: string | undefined): string {
  return zone === undefined ? "no zone" : `zone ${quoted(zone)}`;
}

function percent(share: number): string {
  return `${Number((100 * share).toFixed(1))} %`;
}
