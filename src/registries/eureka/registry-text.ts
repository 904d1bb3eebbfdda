import { JsonScanner, NotJsonError, readJson, type Span } from "../../core/json/json-scanner.ts";
import type { Steps } from "../../core/json/steps.ts";
import { isRecord } from "./entry.ts";

/** The places of the instances of each application in the text of an answer, by its name in upper case. */
export type Places = ReadonlyMap<string, readonly Span[]>;

/**
 * Finds the instances in an answer of the registry, or in that of one application, without parsing them. Yields now and then, for
 * `inTurns`. Throws an Error when the text is neither.
 */
export function findPlaces(text: Buffer): Steps<Places> {
  return ofAnswer(placesIn(text));
}

function* placesIn(text: Buffer): Steps<Places> {
  const scanner = new JsonScanner(text);
  const places = new Map<string, Span[]>();
  /** Keys of the registry: the older JSON codec leaves the applications out when there are none, but never two of the others. */
  const marks = new Set<string>();
  const application = function* (): Steps {
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
        const value = key === "name" ? yield* scanner.read() : yield* scanner.value();
        if (key === "name") name = value;
      }
    });
    if (typeof name !== "string" || name === "") return;
    const key = name.toUpperCase();
    const known = places.get(key);
    if (known === undefined) places.set(key, spans);
    else for (const span of spans) known.push(span);
  };
  let isRegistry = false;
  let isApplication = false;
  if (!scanner.isObject) {
    yield* readJson(text.subarray(0, 1_000));
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
  if (!scanner.isAtEnd) throw new NotJsonError();
  if (!isRegistry && !isApplication) throw new Error("answered with JSON that is not a Eureka registry");
  if (isRegistry && !["application", "apps__hashcode", "versions__delta"].some((mark) => marks.has(mark)))
    throw new Error("answered with a registry that has no applications");
  return places;
}

/** The instance at `span` of `text`, when it is one of the application `app`: an entry with another name is no instance of it. */
export function* readInstance(text: Buffer, span: Span, app: string): Steps<Readonly<Record<string, unknown>> | undefined> {
  const instance = yield* ofAnswer(readJson(text.subarray(span.start, span.end)));
  if (!isRecord(instance)) return undefined;
  const own = instance["app"] ?? app;
  return typeof own === "string" && own.toUpperCase() === app ? instance : undefined;
}

/** The same steps; an error says that it is the answer that is no JSON. */
function* ofAnswer<T>(steps: Steps<T>): Steps<T> {
  try {
    return yield* steps;
  } catch (error) {
    throw error instanceof NotJsonError ? new Error("answered with something that is not JSON") : error;
  }
}
