/**
 * inmesh/nginx: files of nginx as the configuration of a mesh.
 *
 * @packageDocumentation
 */

export { DocumentError, type Place } from "../documents/document-error.ts";
export { type FromNginxOptions, fromNginx } from "./from-nginx.ts";
export type { Directive, Word } from "./grammar/directive.ts";
export { NginxError } from "./grammar/nginx-error.ts";
export { type ReadFile, readDirectives } from "./grammar/read-directives.ts";
export { type ImportedNginx, type ImportNginxOptions, importNginx } from "./import-nginx.ts";
export type { NginxCertificate, NginxListener } from "./locations/nginx-listener.ts";
export type { NginxOptions } from "./pickers/nginx-options.ts";
export { nginx } from "./pickers/nginx-picker.ts";
export type { Notice } from "./reading/report.ts";
export type { Resolve } from "./upstreams/endpoints.ts";
