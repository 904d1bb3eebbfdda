import type { Upstream } from "../../core/upstream.ts";

/** Number of displaced members that are searched one by one; for more a map is built. */
const maxSearches = 8;

/** For each member of `list` its index in an earlier list, -1 for a new member. Fast where the order has stayed. */
export function placesIn(before: readonly Upstream[], list: readonly Upstream[]): Int32Array {
  const places = new Int32Array(list.length);
  let known: Map<Upstream, number> | undefined;
  let searches = 0;
  let next = 0;
  for (let index = 0; index < list.length; index++) {
    const upstream = list[index] as Upstream;
    let place = next;
    if (before[next] !== upstream) {
      if (before[next + 1] === upstream) {
        place = next + 1;
      } else if (++searches <= maxSearches) {
        place = before.indexOf(upstream);
      } else {
        known ??= indexesOf(before);
        place = known.get(upstream) ?? -1;
      }
    }
    places[index] = place;
    if (place >= 0) next = place + 1;
  }
  return places;
}

/** The inverse of {@link placesIn}: for each of the `size` earlier members its index in the list, -1 for one that has left. */
export function indexesAt(places: Int32Array, size: number): Int32Array {
  const indexes = new Int32Array(size).fill(-1);
  for (let index = 0; index < places.length; index++) if ((places[index] as number) >= 0) indexes[places[index] as number] = index;
  return indexes;
}

function indexesOf(list: readonly Upstream[]): Map<Upstream, number> {
  const indexes = new Map<Upstream, number>();
  for (let index = 0; index < list.length; index++) indexes.set(list[index] as Upstream, index);
  return indexes;
}
