/**
 * The policy of every page: scripts by nonce only, connections to this server and the gateway only.
 * Styles may be inline: charts and overlays position themselves by style attributes, which no nonce covers.
 * Fonts may be inline: the API explorer's editor has its symbols so. Its workers are files of this server.
 */
export function contentSecurityPolicy(nonce: string, apiOrigin: string): string {
  const socketOrigin = apiOrigin.replace(/^http/, 'ws');
  return [
    `default-src 'self'`,
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic'`,
    `style-src 'self' 'unsafe-inline'`,
    `img-src 'self' data:`,
    `font-src 'self' data:`,
    `worker-src 'self'`,
    `connect-src 'self' ${apiOrigin} ${socketOrigin}`,
    `object-src 'none'`,
    `base-uri 'none'`,
    `form-action 'self'`,
    `frame-ancestors 'none'`,
  ].join('; ');
}
