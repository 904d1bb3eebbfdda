import type { Connector } from "./undici.ts";

/** The parser that undici keeps for a connection, as far as it is used here. */
interface Parser {
  readonly socket: { readonly destroyed: boolean };
  statusCode: number;
  /** Names and values in turn, and their bytes. */
  headers: unknown[];
  headersSize: number;
  /** The header of the response that is being read. */
  contentLength: string;
  onHeadersComplete(status: number, upgrade: boolean, shouldKeepAlive: boolean): number;
  onMessageComplete(): unknown;
}

/** Returned where a head ends: no content follows. */
const withoutBody = 1;

/** A connector on whose connections undici reads what HTTP allows and undici misses. */
export function withCorrectedParser(connector: Connector): Connector {
  return (target, callback) =>
    connector(target, (...[error, socket]) => {
      if (error !== null) return callback(error, null);
      // undici makes the parser when it is given the socket.
      callback(null, socket);
      const parser = parserOf(socket);
      if (parser === undefined) return;
      passContinue(parser);
      missNoContent(parser);
    });
}

/**
 * A 100 that was not asked for is passed over, as every informational response is (RFC 9110 §15.2): servers send one that know no better than to
 * ask for each body. undici ends the connection for it, and the request with it. What comes without a request has ended the connection before.
 */
function passContinue(parser: Parser): void {
  const complete = parser.onHeadersComplete;
  parser.onHeadersComplete = (status, ...rest) => {
    if (status !== 100 || parser.socket.destroyed) return complete.call(parser, status, ...rest);
    parser.statusCode = status;
    parser.headers = [];
    parser.headersSize = 0;
    return withoutBody;
  };
}

/**
 * A 204 or 304 has no content, whatever length its head tells (RFC 9110 §6.4.1, §8.6): that of a 304 belongs to the answer to a request without a
 * condition. undici waits for no content either, but misses it then, and ends the connection.
 */
function missNoContent(parser: Parser): void {
  const complete = parser.onMessageComplete;
  parser.onMessageComplete = () => {
    if (parser.statusCode === 304 || parser.statusCode === 204) parser.contentLength = "";
    return complete.call(parser);
  };
}

/** undici keeps the parser of a socket under a symbol. Without one the connection works as with undici alone. */
function parserOf(socket: object): Parser | undefined {
  const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) => description === "parser");
  const parser = symbol && (socket as Record<symbol, unknown>)[symbol];
  const { onHeadersComplete, onMessageComplete } = (parser ?? {}) as Partial<Parser>;
  return typeof onHeadersComplete === "function" && typeof onMessageComplete === "function" ? (parser as Parser) : undefined;
}
