import { readEnv } from '../../src/env.ts';
import { createSessionRoutes } from '../../src/session-routes.ts';

const routes = () => createSessionRoutes({ apiUrl: readEnv().apiUrl, now: Date.now });

export function PUT(request: Request): Promise<Response> {
  return routes().keep(request);
}

export function POST(request: Request): Promise<Response> {
  return routes().refresh(request);
}

export function DELETE(request: Request): Promise<Response> {
  return routes().end(request);
}
