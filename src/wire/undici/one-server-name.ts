/**
 * The `servername` of every request. undici takes that of the `host` header otherwise, asks for it in the handshake, and closes a connection before a request with
 * another one. The name of an instance is the mesh's to choose (`peer.name`, `tls.serverName`), whatever `host` says, which may be a client's of a
 * gateway: the connector does not read this one.
 */
export const oneServerName = "instance";
