import { encodeGlobalId } from '@kindred/domain/ids';
import type { Resolvers } from './generated/resolvers.ts';
import { recommend } from './recommend.ts';
import { listSimilarItems } from './similar-items.ts';

/** Scopes are enforced by the server from the directives in schema.graphql. */
export const resolvers: Resolvers = {
  Query: {
    recommend: (_root, args, context) => recommend(context, args),
    similarItems: (_root, args, context) => listSimilarItems(context, args),
  },
  Item: {
    id: (item) => encodeGlobalId('Item', item.id),
  },
  ModelVersion: {
    id: (version) => encodeGlobalId('ModelVersion', version.id),
  },
};
