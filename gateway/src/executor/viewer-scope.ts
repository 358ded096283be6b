import type { Viewer } from '@kindred/domain/viewer';

const scopes = new WeakMap<Viewer, string>();

/** Everything that a subgraph may look at beside the request: what one scope is answered may be answered to that scope alone. */
export function scopeOf(viewer: Viewer): string {
  const known = scopes.get(viewer);
  if (known !== undefined) return known;
  const scope = JSON.stringify(viewer);
  scopes.set(viewer, scope);
  return scope;
}

/** The viewer's tenant; empty for who has none. */
export function tenantOf(viewer: Viewer): string {
  return ('tenantId' in viewer ? viewer.tenantId : null) ?? '';
}
