import { expect, it } from "vitest";
import { HealthWatch } from "../../src/registration/health-watch.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";

/** A watch whose health hangs until the test answers, and that is asked at 0, 200, … ms for 100 ms each. */
function hanging() {
  const clock = virtualClock();
  const asked: { readonly signal: AbortSignal; readonly answer: (answer: boolean) => void }[] = [];
  const watch = new HealthWatch((signal) => new Promise((resolve) => asked.push({ signal, answer: resolve })), {
    timeoutMs: 100,
    intervalMs: () => 100,
    onChange: () => {},
    clock,
  });
  return { clock, asked, watch };
}

it("stops the question under way when it stops, though an earlier one is answered late", async () => {
  const { clock, asked, watch } = hanging();
  void watch.start();
  await clock.advance(200);
  asked[0]?.answer(true);
  await clock.advance(0);
  watch.stop();
  expect([asked.length, watch.status, asked[1]?.signal.aborted]).toEqual([2, "down", true]);
  await clock.advance(0);
  expect(clock.pending).toEqual([]);
});

it("asks one question at a time, though an earlier one is answered late", async () => {
  const { clock, asked, watch } = hanging();
  void watch.start();
  await clock.advance(200);
  asked[0]?.answer(true);
  await clock.advance(0);
  watch.reschedule();
  expect(clock.pending, "the end of the question under way").toEqual([{ inMs: 100, keepsProcess: false }]);
  watch.stop();
});
