import { isIPv4, isIPv6 } from "node:net";
import { crc32 } from "node:zlib";
import { atWeight, byTurns, type Choice, maxTries } from "./methods.ts";
import { chosen, isUsable, type Peer, type PeerGroup } from "./peers.ts";

/** How far a call has got in its hash, since its next attempt goes on from there. */
export interface HashProgress {
  hash: number;
  rehash: number;
  tries: number;
}

/** The beginning of a call. */
export function hashBegin(): HashProgress {
  return { hash: 0, rehash: 0, tries: 0 };
}

/** nginx's `hash`, which is that of Cache::Memcached: sums of `(crc32([REHASH] KEY) >> 16) & 0x7fff` over the weights. */
export function byHash(choice: Choice, key: string, progress: HashProgress): Peer | undefined {
  const { group, now, tried } = choice;
  while (progress.tries <= maxTries) {
    const text = progress.rehash > 0 ? `${progress.rehash}${key}` : key;
    progress.hash = (progress.hash + ((crc32(text) >>> 16) & 0x7fff)) >>> 0;
    progress.rehash++;
    const peer = atWeight(group, progress.hash % group.totalWeight);
    if (isUsable(peer, now, tried)) return chosen(peer, now);
    progress.tries++;
  }
  return byTurns(choice);
}

/** nginx's `ip_hash`: three numbers of an IPv4 address, all sixteen of an IPv6 address. */
export function byAddress(choice: Choice, address: string | undefined, progress: HashProgress): Peer | undefined {
  const { group, now, tried } = choice;
  const bytes = bytesOf(address);
  if (progress.rehash++ === 0) progress.hash = 89;
  while (progress.tries <= maxTries) {
    for (const byte of bytes) progress.hash = (progress.hash * 113 + byte) % 6_271;
    const peer = atWeight(group, progress.hash % group.totalWeight);
    if (isUsable(peer, now, tried)) return chosen(peer, now);
    progress.tries++;
  }
  return byTurns(choice);
}

/** A Unix socket has three zeros. */
function bytesOf(address: string | undefined): readonly number[] {
  const plain = address?.replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, "") ?? "";
  if (isIPv4(plain)) return plain.split(".").slice(0, 3).map(Number);
  return isIPv6(plain) ? bytesOfIpv6(plain) : [0, 0, 0];
}

function bytesOfIpv6(address: string): readonly number[] {
  const dotted = address.replace(/(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/, (_, a, b, c, d) =>
    [Number(a) * 256 + Number(b), Number(c) * 256 + Number(d)].map((group) => group.toString(16)).join(":"),
  );
  const [head = "", tail] = dotted.split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16)));
  const [before, after] = [groups(head), groups(tail ?? "")];
  const all = tail === undefined ? before : [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
  return all.flatMap((group) => [group >> 8, group & 255]);
}

/** The points of a ring, in order, and the server of each by its address. */
export interface Ring {
  readonly points: Uint32Array;
  readonly servers: readonly string[];
}

/** Points for each part of a weight. */
const pointsPerWeight = 160;

/** nginx's ring for `hash … consistent`, which is that of Cache::Memcached::Fast: `crc32(HOST \0 PORT PREVIOUS)`. */
export function ringOf({ peers }: PeerGroup): Ring {
  const all: { readonly hash: number; readonly server: string }[] = [];
  for (const { server, weight } of peers) {
    const base = crc32(nameOf(server));
    const previous = Buffer.alloc(4);
    for (let count = weight * pointsPerWeight; count > 0; count--) {
      const hash = crc32(previous, base);
      all.push({ hash, server });
      previous.writeUInt32LE(hash);
    }
  }
  all.sort((one, other) => one.hash - other.hash);
  const distinct = all.filter(({ hash }, index) => index === 0 || hash !== all[index - 1]?.hash);
  return { points: Uint32Array.from(distinct, ({ hash }) => hash), servers: distinct.map(({ server }) => server) };
}

function nameOf(server: string): string {
  if (/^unix:/i.test(server)) return `${server.slice(5)}\0`;
  const [, host = server, port = ""] = /^(.*):(\d*)$/.exec(server) ?? [];
  return `${host}\0${port}`;
}

/** nginx's `hash … consistent`: the next point of the ring; servers of one name by turns. */
export function byRing(choice: Choice, ring: Ring, key: string, progress: HashProgress): Peer | undefined {
  const { points, servers } = ring;
  if (progress.rehash++ === 0) progress.hash = placeIn(points, crc32(key));
  while (progress.tries <= maxTries) {
    const server = servers[progress.hash % points.length];
    const peer = byTurns(
      choice,
      choice.group.peers.filter((each) => each.server === server),
    );
    if (peer !== undefined) return peer;
    progress.hash++;
    progress.tries++;
  }
  return byTurns(choice);
}

/** The first point that is not below. */
function placeIn(points: Uint32Array, hash: number): number {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((points[middle] as number) < hash) low = middle + 1;
    else high = middle;
  }
  return low;
}
