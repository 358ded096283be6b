import type { ImportKind } from '@kindred/domain/imports';

/** `spare` may be left out of a row that is kept: without them it says less and nothing else. */
export const FIELDS: Record<
  ImportKind,
  { all: readonly string[]; required: readonly string[]; spare: readonly string[] }
> = {
  ITEMS: {
    all: ['externalId', 'title', 'categories', 'properties'],
    required: ['externalId', 'title'],
    spare: ['categories', 'properties'],
  },
  INTERACTIONS: {
    all: ['eventId', 'userExternalId', 'itemExternalId', 'type', 'value', 'occurredAt'],
    required: ['userExternalId', 'itemExternalId', 'type'],
    spare: ['value'],
  },
};
