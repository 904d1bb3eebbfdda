import {
  checkChoice,
  checkFlag,
  checkFunction,
  checkInteger,
  checkKeys,
  checkNumber,
  checkObject,
  checkText,
  refuseOption,
} from "../../core/settings/checks.ts";
import { quoted } from "../../core/text/clean-text.ts";
import { nameServers } from "./listing.ts";
import type { Latency, Scenario, ServerAnswer, ServerErrors, SimulatedServer } from "./scenario.ts";
import { isList, phasesOf } from "./server.ts";

const scenarioKeys = [
  "name",
  "servers",
  "arrivals",
  "durationMs",
  "drainMs",
  "clients",
  "requests",
  "options",
  "isSuccess",
  "seed",
  "chance",
  "timelineParts",
];
const serverKeys = [
  "name",
  "copies",
  "zone",
  "weight",
  "priority",
  "metadata",
  "listedFromMs",
  "listedUntilMs",
  "workers",
  "queue",
  "reportsLoad",
  "answers",
];
const answerKeys = ["latencyMs", "status", "headers", "fault", "errors"];
const faults = ["refuse", "unreachable", "reset", "hang"];

/**
 * Checks a whole scenario.
 * @throws TypeError or RangeError naming the field and the value
 */
export function checkScenario(scenario: Scenario): void {
  if (typeof scenario !== "object" || scenario === null) refuseOption("simulate", scenario, "given a scenario");
  checkKeys("simulate", scenario, scenarioKeys);
  const { servers, arrivals, requests } = scenario;
  checkText("name", scenario.name);
  required("durationMs", scenario.durationMs);
  checkNumber("durationMs", scenario.durationMs, 0.001);
  checkNumber("drainMs", scenario.drainMs, 0);
  checkInteger("clients", scenario.clients, 1);
  checkNumber("seed", scenario.seed, 0);
  checkChoice("chance", scenario.chance, ["server", "request"]);
  checkInteger("timelineParts", scenario.timelineParts, 0, 10_000);
  checkFunction("isSuccess", scenario.isSuccess);
  if (!Array.isArray(servers) || servers.length === 0) refuseOption("servers", servers, "an array of at least one server");
  for (const [index, server] of servers.entries()) checkServer(`servers[${index}]`, server);
  const names = new Set<string>();
  for (const { name } of nameServers(servers)) {
    if (names.has(name)) throw new TypeError(`servers: two of them have the name ${quoted(name)}`);
    names.add(name);
  }
  required("arrivals", arrivals);
  checkObject("arrivals", arrivals);
  checkKeys("arrivals", arrivals, ["ratePerSecond", "spacing"]);
  checkChoice("arrivals.spacing", arrivals.spacing, ["poisson", "uniform"]);
  checkRate(arrivals.ratePerSecond);
  if (requests === undefined) return;
  if (!Array.isArray(requests) || requests.length === 0) refuseOption("requests", requests, "an array of at least one kind of request");
  for (const [index, request] of requests.entries()) {
    const where = `requests[${index}]`;
    checkObject(where, request);
    checkKeys(where, request, ["method", "path", "share", "keys", "options"]);
    checkText(`${where}.method`, request.method);
    checkText(`${where}.path`, request.path);
    checkNumber(`${where}.share`, request.share, 0);
    checkInteger(`${where}.keys`, request.keys, 1);
  }
}

function checkRate(rate: Scenario["arrivals"]["ratePerSecond"]): void {
  required("arrivals.ratePerSecond", rate);
  if (!Array.isArray(rate)) {
    checkNumber("arrivals.ratePerSecond", rate, 0);
    return;
  }
  checkOrder("arrivals.ratePerSecond", rate);
  for (const [index, phase] of rate.entries()) {
    required(`arrivals.ratePerSecond[${index}].ratePerSecond`, phase.ratePerSecond);
    checkNumber(`arrivals.ratePerSecond[${index}].ratePerSecond`, phase.ratePerSecond, 0);
  }
}

function checkServer(where: string, server: SimulatedServer): void {
  required(where, server);
  checkObject(where, server);
  checkKeys(where, server, serverKeys);
  checkText(`${where}.name`, server.name);
  checkInteger(`${where}.copies`, server.copies, 1);
  checkNumber(`${where}.listedFromMs`, server.listedFromMs, 0);
  checkNumber(`${where}.listedUntilMs`, server.listedUntilMs, 0);
  checkInteger(`${where}.workers`, server.workers, 1);
  checkInteger(`${where}.queue`, server.queue, 0);
  checkFlag(`${where}.reportsLoad`, server.reportsLoad);
  required(`${where}.answers`, server.answers);
  const phases = phasesOf(server.answers);
  if (phases.length === 0) refuseOption(`${where}.answers`, server.answers, "at least one phase");
  checkOrder(`${where}.answers`, phases);
  for (const [index, { fromMs: _from, paths, ...answer }] of phases.entries()) {
    const phase = `${where}.answers[${index}]`;
    checkAnswer(phase, answer);
    for (const [path, other] of Object.entries(paths ?? {})) checkAnswer(`${phase}.paths[${quoted(path)}]`, other);
  }
}

function checkAnswer(where: string, answer: ServerAnswer): void {
  checkObject(where, answer);
  checkKeys(where, answer, answerKeys);
  checkLatency(`${where}.latencyMs`, answer.latencyMs);
  if (typeof answer.status !== "function") checkInteger(`${where}.status`, answer.status, 200, 599);
  if (typeof answer.fault !== "function") checkChoice(`${where}.fault`, answer.fault, faults);
  if (typeof answer.headers !== "function") checkObject(`${where}.headers`, answer.headers);
  const { errors } = answer;
  if (errors === undefined) return;
  if (!isList(errors)) checkErrors(`${where}.errors`, errors);
  else for (const [index, each] of errors.entries()) checkErrors(`${where}.errors[${index}]`, each);
}

function checkErrors(where: string, errors: ServerErrors): void {
  checkObject(where, errors);
  checkKeys(where, errors, ["ratio", "status", "fault", "latencyMs"]);
  required(`${where}.ratio`, errors.ratio);
  checkNumber(`${where}.ratio`, errors.ratio, 0, 1);
  checkInteger(`${where}.status`, errors.status, 200, 599);
  checkChoice(`${where}.fault`, errors.fault, faults);
  checkLatency(`${where}.latencyMs`, errors.latencyMs);
}

function checkLatency(where: string, latency: Latency | undefined): void {
  if (typeof latency === "function") return;
  if (Array.isArray(latency)) {
    const [from, to] = latency as readonly number[];
    required(`${where}[0]`, from);
    required(`${where}[1]`, to);
    checkNumber(`${where}[0]`, from, 0);
    checkNumber(`${where}[1]`, to, from as number);
  } else if (typeof latency === "object" && latency !== null && "exponentialMs" in latency) {
    checkKeys(where, latency, ["exponentialMs", "leastMs"]);
    checkNumber(`${where}.exponentialMs`, latency.exponentialMs, 0);
    checkNumber(`${where}.leastMs`, latency.leastMs, 0);
  } else checkNumber(where, latency, 0);
}

function checkOrder(where: string, phases: readonly { readonly fromMs: number }[]): void {
  for (const [index, { fromMs }] of phases.entries()) {
    required(`${where}[${index}].fromMs`, fromMs);
    // Scripts are read forwards: a phase out of order would be skipped.
    checkNumber(`${where}[${index}].fromMs`, fromMs, index === 0 ? 0 : (phases[index - 1]?.fromMs ?? 0));
  }
}

function required(where: string, value: unknown): void {
  if (value === undefined || value === null) throw new TypeError(`${where} is missing`);
}
