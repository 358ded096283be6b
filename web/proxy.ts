import { type NextRequest, NextResponse } from 'next/server';
import { contentSecurityPolicy } from './src/content-security-policy.ts';
import { readEnv } from './src/env.ts';

export function proxy(request: NextRequest): NextResponse {
  const nonce = crypto.randomUUID().replaceAll('-', '');
  const policy = contentSecurityPolicy(nonce, readEnv().apiOrigin);
  const headers = new Headers(request.headers);
  headers.set('x-nonce', nonce);
  headers.set('content-security-policy', policy);
  const response = NextResponse.next({ request: { headers } });
  response.headers.set('content-security-policy', policy);
  return response;
}

export const config = {
  matcher: [{ source: '/((?!_next/static|icon.svg|health/|metrics).*)' }],
};
