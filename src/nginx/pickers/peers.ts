import type { Upstream } from "../../core/upstream.ts";

/** A server as nginx keeps it. Times are whole seconds, as nginx has them. */
export interface Peer {
  readonly upstream: Upstream;
  readonly weight: number;
  readonly maxFails: number;
  readonly failTimeout: number;
  /** 0: any number. */
  readonly maxConnections: number;
  readonly isDown: boolean;
  readonly isBackup: boolean;
  /** The address as the file has it, by which its points of a ring are made. */
  readonly server: string;
  effectiveWeight: number;
  currentWeight: number;
  fails: number;
  /** The last failure. */
  accessed: number;
  /** The last failure, or the last try after one. */
  checked: number;
}

/** Servers of one kind, in the order of the file. */
export interface PeerGroup {
  readonly peers: readonly Peer[];
  readonly totalWeight: number;
  /** Whether it is the only server, for which failures do not count. */
  readonly isSingle: boolean;
}

/** The servers of an upstream, and those that take over where none of them can. */
export interface PeerGroups {
  readonly primary: PeerGroup;
  readonly backup: PeerGroup | undefined;
}

/** A server as nginx needs to know it, from the metadata of its instance. */
export function peerOf(upstream: Upstream): Peer {
  const { metadata = {} } = upstream.endpoint;
  const number = (name: string, fallback: number): number => {
    const value = Number(metadata[`nginx.${name}`] ?? fallback);
    return Number.isFinite(value) && value >= 0 ? value : fallback;
  };
  return {
    upstream,
    weight: upstream.weight,
    maxFails: number("maxFails", 1),
    failTimeout: Math.ceil(number("failTimeoutMs", 10_000) / 1_000),
    maxConnections: number("maxConnections", 0),
    isDown: metadata["nginx.down"] === "true",
    isBackup: metadata["nginx.backup"] === "true",
    server: metadata["nginx.server"] ?? upstream.address,
    effectiveWeight: upstream.weight,
    currentWeight: 0,
    fails: 0,
    accessed: 0,
    checked: 0,
  };
}

/** Takes servers and those that stand by apart. */
export function groupsOf(peers: readonly Peer[]): PeerGroups {
  const backup = peers.filter(({ isBackup }) => isBackup);
  const primary = peers.filter(({ isBackup }) => !isBackup);
  const group = (members: readonly Peer[], isSingle: boolean): PeerGroup => ({
    peers: members,
    totalWeight: members.reduce((sum, { weight }) => sum + weight, 0),
    isSingle,
  });
  return {
    primary: group(primary, primary.length === 1 && backup.length === 0),
    backup: backup.length === 0 ? undefined : group(backup, false),
  };
}

/** Whether a server may be chosen: not down, not out after failures, not full, and not tried by this call. */
export function isUsable(peer: Peer, now: number, tried: readonly Upstream[]): boolean {
  if (tried.length > 0 && tried.includes(peer.upstream)) return false;
  if (peer.isDown) return false;
  if (peer.maxFails > 0 && peer.fails >= peer.maxFails && now - peer.checked <= peer.failTimeout) return false;
  return peer.maxConnections === 0 || peer.upstream.inFlight < peer.maxConnections;
}

/** A server was chosen: the first try after its time out is one try, until it has ended. */
export function chosen(peer: Peer, now: number): Peer {
  if (now - peer.checked > peer.failTimeout) peer.checked = now;
  return peer;
}

/** An attempt at a server has failed. */
export function failed(peer: Peer, now: number): void {
  peer.fails++;
  peer.accessed = now;
  peer.checked = now;
  if (peer.maxFails > 0) peer.effectiveWeight = Math.max(0, peer.effectiveWeight - Math.trunc(peer.weight / peer.maxFails));
}

/** An attempt at a server has not failed. */
export function succeeded(peer: Peer): void {
  if (peer.accessed < peer.checked) peer.fails = 0;
}
