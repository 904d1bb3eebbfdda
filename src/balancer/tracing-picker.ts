import type { MeshRequest } from "../core/dispatch.ts";
import type { ComparedInstance, DecisionRecorder } from "../core/observing/call-trace.ts";
import { fenceResult, warnOfThrow } from "../core/observing/fence.ts";
import type { Upstream } from "../core/upstream.ts";
import type { ComparedUpstream, PickAccount, Picker, PickerView } from "./picker.ts";

/** Instances that a decision tells of. */
const maxCompared = 32;
const unexplained = "the picker does not say why";

/** The picker for one traced call: picks as `picker` does, and records each pick with its reason and the figures that were compared. */
export function tracingPicker(picker: Picker, trace: DecisionRecorder): Pick<Picker, "pick"> {
  return {
    pick(upstreams, request) {
      const picked = picker.pick(upstreams, request);
      if (picked !== undefined) {
        const account = accountOf(picker, upstreams, request, picked);
        const compared = comparedOf(picker, upstreams, picked, account?.compared);
        trace.consider({ picked, reason: reasonOf(account), candidates: upstreams.length, compared });
      }
      return picked;
    },
  };
}

/** The picker may be the program's: its mistake ends no call. */
function accountOf(
  picker: Picker,
  upstreams: readonly Upstream[],
  request: MeshRequest,
  picked: Upstream,
): Partial<PickAccount> | undefined {
  try {
    const account = picker.explainPick?.(upstreams, request, picked);
    fenceResult("explainPick of a picker", account);
    return account;
  } catch (thrown) {
    warnOfThrow("explainPick of a picker", thrown);
    return undefined;
  }
}

function reasonOf(account: Partial<PickAccount> | undefined): string {
  const reason: unknown = account?.reason;
  return typeof reason === "string" && reason !== "" ? reason : unexplained;
}

/** Those that the picker says it has compared, else those of the list with the figures by which it explains them now. */
function comparedOf(picker: Picker, upstreams: readonly Upstream[], picked: Upstream, told: unknown): readonly ComparedInstance[] {
  const known = (Array.isArray(told) ? (told as Partial<ComparedUpstream>[]) : []).filter(
    (each): each is ComparedUpstream => each?.upstream !== undefined && upstreams.includes(each.upstream),
  );
  const all =
    known.length > 0 ? known : upstreams.slice(0, maxCompared).map((upstream) => ({ upstream, figures: viewOf(picker, upstream) }));
  const chosen = all.find(({ upstream }) => upstream === picked) ?? { upstream: picked, figures: viewOf(picker, picked) };
  const bounded = all.length <= maxCompared && all.includes(chosen) ? all : [chosen, ...all.filter((each) => each !== chosen)];
  return bounded.slice(0, maxCompared).map(({ upstream, figures }) => ({
    endpoint: upstream.id,
    address: upstream.address,
    state: upstream.state,
    inFlight: upstream.inFlight,
    figures: figuresOf(figures),
  }));
}

function viewOf(picker: Picker, upstream: Upstream): PickerView {
  try {
    const view = picker.explain?.(upstream) ?? {};
    fenceResult("explain of a picker", view);
    const { meant: _meant, ...figures } = view;
    return figures;
  } catch (thrown) {
    warnOfThrow("explain of a picker", thrown);
    return {};
  }
}

function figuresOf(figures: unknown): PickerView {
  if (typeof figures !== "object" || figures === null) return {};
  return Object.fromEntries(Object.entries(figures).filter(([, value]) => typeof value === "number" || typeof value === "string"));
}
