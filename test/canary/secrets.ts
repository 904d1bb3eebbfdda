import { certificate } from "../support/certificate.ts";

/** The secrets that must not be shown, by the place they are put in. Each is a text that occurs nowhere else. */
export const secrets = {
  authorization: "c4n4ry-authorization-Zk3vQx81",
  cookie: "c4n4ry-cookie-Wq7LmD24",
  query: "c4n4ry-query-Hn5TbR93",
  userinfo: "c4n4ry-userinfo-Jx2PcG68",
  requestBody: "c4n4ry-request-body-Vd9KsF17",
  responseCookie: "c4n4ry-response-cookie-Yt6NwA52",
  responseBody: "c4n4ry-response-body-Rb4ZhE39",
  consulToken: "c4n4ry-consul-token-Lp8MuS75",
  eurekaPassword: "c4n4ry-eureka-password-Cg1XjO46",
  adminToken: "c4n4ry-admin-token-Mb3WkT58",
} as const;

export type SecretName = keyof typeof secrets | "privateKey";

/** Lines of the PEM: a shown part of the key holds one of them. */
const keyLines = certificate.key.split("\n").filter((line) => line !== "" && !line.startsWith("-----"));

/** Every form in which bytes may come out: hexadecimal, decimal, and base64 wherever in the encoded text they begin. */
function encodings(bytes: Buffer): readonly string[] {
  const shifted = [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
    // Without the characters that also depend on what is before and after.
    return encoded.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
  });
  const hex = bytes.toString("hex");
  const pairs = hex.match(/../g) ?? [];
  return [hex, pairs.join(" "), [...bytes].join(","), [...bytes].join(", "), ...shifted];
}

/** The forms in which a text may come out. */
export const formsOf = (text: string): readonly string[] => [text, encodeURIComponent(text), ...encodings(Buffer.from(text))];

const forms: ReadonlyMap<SecretName, readonly string[]> = new Map([
  ...Object.entries(secrets).map(([name, text]) => [name as SecretName, formsOf(text)] as const),
  ["privateKey", keyLines.flatMap((line) => [...formsOf(line), ...encodings(Buffer.from(line, "base64").subarray(0, 40))])] as const,
]);

/** A secret that was found, with what stands around it. */
export interface Leak {
  readonly secret: SecretName;
  readonly where: string;
}

/** The secrets that a text shows, in whatever form. */
export function secretsIn(text: string): readonly Leak[] {
  const found: Leak[] = [];
  for (const [secret, all] of forms) {
    const form = all.find((each) => text.includes(each));
    if (form === undefined) continue;
    const at = text.indexOf(form);
    found.push({ secret, where: text.slice(Math.max(0, at - 150), at + form.length + 30) });
  }
  return found;
}
