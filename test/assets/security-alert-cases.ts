import { type Spelling, spelled } from "../../src/assets/spelling.ts";
import type { AlertCase, InputSeries } from "./alert-cases.ts";

/** How the cases write their series. */
interface Written {
  readonly spelling: Spelling;
  readonly labelled: (name: string, labels: Readonly<Record<string, string>>, values: string) => InputSeries;
  readonly series: (metric: string, labels: Readonly<Record<string, string>>, values: string, suffix?: string) => InputSeries;
}

const orders = { server_service_name: "orders" };
const hour = 3_600;
const day = 24 * hour;

/** A case for each alert on identities, encryption and authorization. */
export function securityCases({ labelled, series, spelling }: Written): readonly AlertCase[] {
  const certificate = (role: string, end: number, lifetime: number): readonly InputSeries[] => [
    labelled(spelled("inmesh.tls.certificate.expiry", spelling), { inmesh_identity_role: role }, `${end}x60`),
    labelled(spelled("inmesh.tls.certificate.lifetime", spelling), { inmesh_identity_role: role }, `${lifetime}x60`),
  ];
  const identity = (state: string, count: number): InputSeries =>
    labelled(spelled("inmesh.identities", spelling), { inmesh_identity_role: "client", inmesh_identity_state: state }, `${count}x60`);
  const denied = (values: string, { rule = "no-admin", decision = "denied" } = {}): InputSeries =>
    labelled(
      spelled("inmesh.server.authorizations", spelling),
      { inmesh_authorization_decision: decision, inmesh_authorization_rule: rule },
      values,
    );
  const refused = (perMinute: number): InputSeries =>
    series("inmesh.server.connections.refused", { inmesh_connection_refusal: "authority" }, `0+${perMinute}x60`);
  const attempts = (errorType: string): InputSeries =>
    series("http.client.request.duration", { server_address: "orders", error_type: errorType }, "0+30x60", "_count");
  const clearRequests = (perMinute: number): InputSeries =>
    labelled(spelled("inmesh.server.requests.clear_text", spelling), {}, `0+${perMinute}x120`);
  const client = { instance: "a", inmesh_identity_role: "client" };

  return [
    {
      alert: "InmeshCertificateExpiring",
      at: "10m",
      labels: client,
      firing: certificate("client", day, 90 * day),
      value: "23h 50m 0s",
      quiet: [
        certificate("client", 30 * day, 90 * day),
        certificate("client", 300, 90 * day),
        // Valid for three days, and renewed in time.
        certificate("server", day, 3 * day),
      ],
    },
    {
      alert: "InmeshCertificateExpired",
      at: "10m",
      labels: { instance: "a", inmesh_identity_role: "server" },
      firing: certificate("server", 300, hour),
      value: "",
      quiet: [certificate("server", day, hour)],
    },
    {
      alert: "InmeshIdentityMissing",
      at: "10m",
      labels: { ...client, inmesh_identity_state: "withdrawn" },
      firing: [identity("withdrawn", 1), identity("ready", 0)],
      value: "",
      quiet: [[identity("withdrawn", 0), identity("ready", 1)]],
    },
    {
      alert: "InmeshCallsInClearText",
      at: "90m",
      labels: orders,
      firing: [series("inmesh.client.attempts.clear_text", {}, "0+30x120")],
      value: "0.50",
      quiet: [
        [series("inmesh.client.attempts.clear_text", {}, "7x120")],
        // They have ended within the hour.
        [series("inmesh.client.attempts.clear_text", {}, "0+30x20 600x100")],
      ],
    },
    {
      alert: "InmeshRequestsInClearText",
      at: "90m",
      labels: {},
      firing: [clearRequests(30)],
      value: "0.50",
      quiet: [[clearRequests(0)]],
    },
    {
      alert: "InmeshPeersRefused",
      at: "30m",
      labels: orders,
      firing: [attempts("ERR_MESH_TLS_PEER")],
      value: "0.50",
      quiet: [[attempts("ERR_MESH_CONNECT")]],
    },
    {
      alert: "InmeshConnectionsRefused",
      at: "30m",
      labels: { ...orders, inmesh_connection_refusal: "authority" },
      firing: [refused(30)],
      value: "0.50",
      quiet: [[refused(3)]],
    },
    {
      alert: "InmeshDenialsRising",
      at: "6h30m",
      labels: { inmesh_authorization_rule: "no-admin" },
      // Few for six hours, then many.
      firing: [denied("0+3x360 1080+30x60")],
      value: "0.50",
      quiet: [
        [
          // As many as ever; more than before, and still few; many, and let pass.
          denied("0+30x420"),
          denied("0x360 0+3x60", { rule: "no-export" }),
          denied("0+3x360 1080+30x60", { rule: "next", decision: "dry-run-denied" }),
        ],
      ],
    },
  ];
}
