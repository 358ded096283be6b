import type { RecommendInput } from '../../src/generated/graphql.ts';

/** For whom the page recommends: an end user, or a visitor known only by the items of a session. */
export type Audience = { kind: 'user'; externalId: string } | { kind: 'session'; items: readonly string[] };

const MOST_SESSION_ITEMS = 200;

/** The audience that the address bar names; null when it names none. */
export function audienceFromQuery(query: URLSearchParams): Audience | null {
  const externalId = query.get('user');
  if (externalId) return { kind: 'user', externalId };
  const items = query.get('session');
  if (items === null) return null;
  return { kind: 'session', items: items.split(',').filter((id) => id !== '') };
}

/** The address-bar query that names `audience`; external ids may hold any character but a comma. */
export function queryOfAudience(audience: Audience): string {
  const query = new URLSearchParams();
  if (audience.kind === 'user') query.set('user', audience.externalId);
  else query.set('session', audience.items.join(','));
  return query.toString();
}

/** The session with the item as its newest; one already there moves to the end. */
export function withSessionItem(items: readonly string[], externalId: string): string[] {
  return [...items.filter((id) => id !== externalId), externalId].slice(-MOST_SESSION_ITEMS);
}

/** What `recommend` is asked for. A session without items is a visitor nothing is known of. */
export function recommendInput(audience: Audience, explain: boolean): RecommendInput {
  if (audience.kind === 'user') return { user: { externalId: audience.externalId }, explain };
  return audience.items.length === 0 ? { explain } : { user: { sessionItems: [...audience.items] }, explain };
}
