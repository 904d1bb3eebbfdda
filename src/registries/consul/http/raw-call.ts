import type { NpmCallOptions, NpmConsul, NpmMiddleware, NpmRawRequest } from "./npm-client.ts";

/** A call of the npm client, as `ConsulClient.ask` takes it. */
export type RawCall = (npm: NpmConsul, options: NpmCallOptions) => Promise<unknown>;

/**
 * Asks for a path behind `/v1` that the npm client has no method for. All options but the token go into the query. With `mayBeAbsent`, an answer of 404 is
 * one without a body, in place of an error: its head says how long to wait for a change.
 */
export function rawGet(path: string, { mayBeAbsent = false }: { readonly mayBeAbsent?: boolean } = {}): RawCall {
  return (npm, options) => npm._get(rawRequest(path, options), mayBeAbsent ? resolveIfAbsent : resolveWithBoth);
}

/** Sends JSON to such a path. */
export function rawPost(path: string, body: Readonly<Record<string, unknown>>): RawCall {
  return (npm, options) => npm._post({ ...rawRequest(path, options), type: "json", body: { ...body } }, resolveWithBoth);
}

/** Puts JSON to such a path. */
export function rawPut(path: string, body: Readonly<Record<string, unknown>>): RawCall {
  return (npm, options) => npm._put({ ...rawRequest(path, options), type: "json", body: { ...body } }, resolveWithBoth);
}

function rawRequest(path: string, { ctx, token, ...options }: NpmCallOptions): NpmRawRequest {
  const query = Object.fromEntries(Object.entries(options).map(([name, value]) => [name, value === true ? "1" : value]));
  return { name: path, path, query, headers: token === undefined ? {} : { "x-consul-token": token }, ctx };
}

/** The response beside its body, as with `includeResponse`. */
const resolveWithBoth: NpmMiddleware = (request, next) => {
  const { err, res } = request;
  if (err === undefined || err === null) next(false, undefined, [res, res?.body]);
  else {
    err.response = res;
    next(false, err);
  }
};

const resolveIfAbsent: NpmMiddleware = (request, next) => {
  if (request.res?.statusCode === 404) next(false, undefined, [request.res, undefined]);
  else resolveWithBoth(request, next);
};
