/** Environment variables of a child process: the path of the suite, and the subject. */
export const suiteVariable = "INMESH_COMPAT_SUITE";
export const subjectVariable = "INMESH_COMPAT_SUBJECT";
/** Environment variable with the path of the file in which a child lists the tests that called fetch. */
export const touchedVariable = "INMESH_COMPAT_TOUCHED";

/** The implementation of fetch that is tested: inmesh, Node, or undici of the suite. */
export type FetchSubject = "mesh" | "node" | "undici";
export const fetchSubjects: readonly FetchSubject[] = ["mesh", "node", "undici"];
/** A fetch, for the tests of fetch; or the dispatcher, inmesh's or that of the suite, for the tests of all else. */
export type Subject = FetchSubject | "dispatcher" | "undici dispatcher";
