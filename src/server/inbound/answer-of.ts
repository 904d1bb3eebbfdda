import { fenceResult, warnOfThrow } from "../../core/observing/fence.ts";

/** A function of the program that is asked something. */
export interface Question<Answer> {
  /** Names the function in the warning. */
  readonly what: string;
  readonly ask: () => unknown;
  readonly isAnswer: (given: unknown) => given is Answer;
  /** The kind of answer that it has to return, for the warning. */
  readonly wanted: string;
}

/** The answer of a function of the program; `fallback` where it throws or returns something else, a promise included, which is said once. */
export function answerOf<Answer, Fallback>({ what, ask, isAnswer, wanted }: Question<Answer>, fallback: () => Fallback): Answer | Fallback {
  try {
    const given = ask();
    if (isAnswer(given)) return given;
    fenceResult(what, given);
    warnOfThrow(what, new TypeError(`it returned no ${wanted}`));
  } catch (thrown) {
    warnOfThrow(what, thrown);
  }
  return fallback();
}
