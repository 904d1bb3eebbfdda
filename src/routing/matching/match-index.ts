import type { CompiledMatch } from "./compiled-match.ts";
import type { EntryVisitor } from "./method-bucket.ts";
import type { PathPlace } from "./path-place.ts";
import { PathTree } from "./path-tree.ts";
import type { RoutedCall } from "./routed-call.ts";
import { TextIndex } from "./text-index.ts";

/** Anywhere: the place of a match without a path. */
const anyPath: PathPlace = { segments: [], ends: "below", rest: "", ignoreCase: false };

/** Entries of one service or host, by path and method. */
class Paths<Entry> {
  readonly exact = new PathTree<Entry>();
  readonly folded = new PathTree<Entry>();
  /** Those of patterns, by a text that their paths have; seldom there. */
  texts: TextIndex<Entry> | undefined = undefined;
  foldedTexts: TextIndex<Entry> | undefined = undefined;

  add(entry: Entry, { methods, path }: CompiledMatch): void {
    const place = path?.place ?? anyPath;
    if (place.has === undefined) (place.ignoreCase ? this.folded : this.exact).add(entry, methods, place);
    else if (place.ignoreCase) {
      this.foldedTexts ??= new TextIndex();
      this.foldedTexts.add(entry, methods, place.has);
    } else {
      this.texts ??= new TextIndex();
      this.texts.add(entry, methods, place.has);
    }
  }

  find(call: RoutedCall, visitor: EntryVisitor<Entry>): void {
    const { method } = call.request;
    this.exact.find(method, call.path, visitor);
    if (this.folded.size > 0) this.folded.find(method, call.lowerPath, visitor);
    this.texts?.find(method, call.path, visitor);
    this.foldedTexts?.find(method, call.lowerPath, visitor);
  }
}

/** Finds the entries that may match a call: by its service or its host, then by its path, then by its method. */
export class MatchIndex<Entry> {
  readonly #anywhere = new Paths<Entry>();
  readonly #byService = new Map<string, Paths<Entry>>();
  readonly #byHost = new Map<string, Paths<Entry>>();
  readonly #belowHost = new Map<string, Paths<Entry>>();
  readonly #beginningHost = new Map<string, Paths<Entry>>();
  #hasHosts = false;

  /** Entries come in the order of their ranks. An entry of several places is told of once for each; `match` may have both services and hosts. */
  add(entry: Entry, match: CompiledMatch): void {
    const { services, hosts } = match;
    if (services !== undefined) {
      for (const service of services) placeIn(this.#byService, service).add(entry, match);
      return;
    }
    if (hosts === undefined || hosts.some(({ kind }) => kind === "any")) {
      this.#anywhere.add(entry, match);
      return;
    }
    this.#hasHosts = true;
    for (const host of hosts) {
      if (host.kind === "exact") placeIn(this.#byHost, host.text).add(entry, match);
      else if (host.kind === "below") placeIn(this.#belowHost, host.text).add(entry, match);
      else if (host.kind === "begins") placeIn(this.#beginningHost, host.text).add(entry, match);
    }
  }

  find(call: RoutedCall, visitor: EntryVisitor<Entry>): void {
    this.#anywhere.find(call, visitor);
    if (this.#byService.size > 0) this.#byService.get(call.request.service)?.find(call, visitor);
    if (this.#hasHosts) this.#findHosts(call, visitor);
  }

  #findHosts(call: RoutedCall, visitor: EntryVisitor<Entry>): void {
    const { host } = call;
    this.#byHost.get(host)?.find(call, visitor);
    if (this.#belowHost.size > 0) {
      for (let dot = host.indexOf(".", 1); dot !== -1; dot = host.indexOf(".", dot + 1))
        this.#belowHost.get(host.slice(dot))?.find(call, visitor);
    }
    if (this.#beginningHost.size > 0) {
      for (let dot = host.indexOf(".", 1); dot !== -1 && dot < host.length - 1; dot = host.indexOf(".", dot + 1))
        this.#beginningHost.get(host.slice(0, dot + 1))?.find(call, visitor);
    }
  }
}

function placeIn<Entry>(places: Map<string, Paths<Entry>>, name: string): Paths<Entry> {
  const known = places.get(name);
  if (known !== undefined) return known;
  const paths = new Paths<Entry>();
  places.set(name, paths);
  return paths;
}
