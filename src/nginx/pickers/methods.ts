import type { Random } from "../../core/clock.ts";
import type { Upstream } from "../../core/upstream.ts";
import { chosen, isUsable, type Peer, type PeerGroup } from "./peers.ts";

/** The facts that a choice is made by. */
export interface Choice {
  readonly group: PeerGroup;
  /** In whole seconds. */
  readonly now: number;
  /** The servers that the call has tried. */
  readonly tried: readonly Upstream[];
  readonly random: Random;
}

/** nginx gives up a method after this many servers that it cannot use, and goes on by turns. */
export const maxTries = 20;

/** By turns: the smooth order by weights that failures lower for a while. */
export function byTurns({ group, now, tried }: Choice, from: readonly Peer[] = group.peers): Peer | undefined {
  let best: Peer | undefined;
  let total = 0;
  for (const peer of from) {
    if (!isUsable(peer, now, tried)) continue;
    total += raise(peer);
    if (best === undefined || peer.currentWeight > best.currentWeight) best = peer;
  }
  if (best === undefined) return undefined;
  best.currentWeight -= total;
  return chosen(best, now);
}

/** The only server: failures do not count. */
export function single({ group }: Choice): Peer | undefined {
  const [peer] = group.peers;
  if (peer === undefined || peer.isDown) return undefined;
  return peer.maxConnections > 0 && peer.upstream.inFlight >= peer.maxConnections ? undefined : peer;
}

/** The one with the fewest requests in flight by weight; among equals by turns. */
export function byConnections({ group, now, tried }: Choice): Peer | undefined {
  let best: Peer | undefined;
  let at = 0;
  let hasEquals = false;
  for (const [index, peer] of group.peers.entries()) {
    if (!isUsable(peer, now, tried)) continue;
    const difference = best === undefined ? -1 : compareLoad(peer, best);
    if (difference < 0) {
      best = peer;
      at = index;
      hasEquals = false;
    } else if (difference === 0) hasEquals = true;
  }
  if (best === undefined) return undefined;
  let total = 0;
  for (let index = at; hasEquals && index < group.peers.length; index++) {
    const peer = group.peers[index] as Peer;
    if (!isUsable(peer, now, tried) || compareLoad(peer, best) !== 0) continue;
    total += raise(peer);
    if (peer.currentWeight > best.currentWeight) best = peer;
  }
  best.currentWeight -= total;
  return chosen(best, now);
}

/** One at random, by weight. */
export function byChance(choice: Choice): Peer | undefined {
  const { group, now, tried, random } = choice;
  for (let tries = 0; tries <= maxTries; tries++) {
    const peer = drawn(group, random);
    if (isUsable(peer, now, tried)) return chosen(peer, now);
  }
  return byTurns(choice);
}

/** The less loaded one of two at random. */
export function byTwoChances(choice: Choice): Peer | undefined {
  const { group, now, tried, random } = choice;
  let first: Peer | undefined;
  for (let tries = 0; tries <= maxTries; tries++) {
    const peer = drawn(group, random);
    if (peer === first || !isUsable(peer, now, tried)) continue;
    if (first !== undefined) return chosen(compareLoad(peer, first) > 0 ? first : peer, now);
    first = peer;
  }
  return byTurns(choice);
}

/** The server that a number up to the sum of the weights falls on. */
export function atWeight({ peers }: PeerGroup, place: number): Peer {
  let left = place;
  for (const peer of peers) {
    if (left < peer.weight) return peer;
    left -= peer.weight;
  }
  return peers[0] as Peer;
}

function drawn(group: PeerGroup, random: Random): Peer {
  return atWeight(group, Math.floor(random() * group.totalWeight));
}

function raise(peer: Peer): number {
  const { effectiveWeight } = peer;
  peer.currentWeight += effectiveWeight;
  if (effectiveWeight < peer.weight) peer.effectiveWeight++;
  return effectiveWeight;
}

/** Below 0 where the first has fewer requests in flight by weight. */
function compareLoad(one: Peer, other: Peer): number {
  return one.upstream.inFlight * other.weight - other.upstream.inFlight * one.weight;
}
