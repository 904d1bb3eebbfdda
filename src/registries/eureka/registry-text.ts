import { isRecord } from "./entry.ts";
import { JsonScanner, parse, type Span } from "./json-scanner.ts";

/** The places of the instances of each application in the text of an answer, by its name in upper case. */
export type Places = ReadonlyMap<string, readonly Span[]>;

/**
 * Finds the instances in an answer of the registry, or in that of one application, without parsing them. Yields now and then, for
 * `inTurns`. Throws an Error when the text is neither.
 */
export function* findPlaces(text: Buffer): Generator<void, Places, undefined> {
  const scanner = new JsonScanner(text);
  const places = new Map<string, Span[]>();
  /** Keys of the registry: the older JSON codec leaves the applications out when there are none, but never two of the others. */
  const marks = new Set<string>();
  const application = function* (): Generator<void, void, undefined> {
    if (!scanner.isObject) {
      yield* scanner.value();
      return;
    }
    let name: unknown;
    const spans: Span[] = [];
    yield* scanner.object(function* (key) {
      if (key === "instance") {
        yield* scanner.list(function* () {
          const { isObject } = scanner;
          const span = yield* scanner.value();
          if (isObject) spans.push(span);
        });
      } else {
        const span = yield* scanner.value();
        if (key === "name") name = parse(text.toString("utf8", span.start, span.end));
      }
    });
    if (typeof name !== "string" || name === "") return;
    const key = name.toUpperCase();
    places.set(key, [...(places.get(key) ?? []), ...spans]);
  };
  let isRegistry = false;
  let isApplication = false;
  if (!scanner.isObject) {
    parse(text.toString("utf8", 0, 1_000));
    throw new Error("answered with JSON that is not a Eureka registry");
  }
  yield* scanner.object(function* (key) {
    const { isObject } = scanner;
    if (key === "applications" && isObject) {
      isRegistry = true;
      yield* scanner.object(function* (inner) {
        marks.add(inner);
        if (inner === "application") yield* scanner.list(application);
        else yield* scanner.value();
      });
    } else if (key === "application" && isObject) {
      isApplication = true;
      yield* application();
    } else yield* scanner.value();
  });
  if (!scanner.isAtEnd) throw new Error("answered with something that is not JSON");
  if (!isRegistry && !isApplication) throw new Error("answered with JSON that is not a Eureka registry");
  if (isRegistry && !["application", "apps__hashcode", "versions__delta"].some((mark) => marks.has(mark)))
    throw new Error("answered with a registry that has no applications");
  return places;
}

/** The instance at `span` of `text`, when it is one of the application `app`: an entry with another name is no instance of it. */
export function readInstance(text: Buffer, span: Span, app: string): Readonly<Record<string, unknown>> | undefined {
  const instance = parse(text.toString("utf8", span.start, span.end));
  if (!isRecord(instance)) return undefined;
  const own = instance["app"] ?? app;
  return typeof own === "string" && own.toUpperCase() === app ? instance : undefined;
}
