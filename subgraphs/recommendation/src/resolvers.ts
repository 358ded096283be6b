import { encodeGlobalId } from '@kindred/domain/ids';
import { signAttribution } from '@kindred/service/attribution-token';
import { requireTenant } from '@kindred/service/guards';
import { propertyValueScalar } from './filter/property-value-scalar.ts';
import type { Resolvers } from './generated/resolvers.ts';
import { recommend } from './recommend.ts';
import { listSimilarItems } from './similar-items.ts';

/** Scopes are enforced by the server from the directives in schema.graphql. */
export const resolvers: Resolvers = {
  Query: {
    recommend: (_root, args, context) => recommend(context, args),
    similarItems: (_root, args, context) => listSimilarItems(context, args),
  },
  RecommendationConnection: {
    pageInfo: (answer) => answer.pageInfo(),
    attributionToken: ({ attribution, edges }, _args, { attributionSecret, viewer }) =>
      signAttribution(
        attributionSecret,
        { ...attribution, tenantId: requireTenant(viewer), issuedAt: Date.now() },
        edges.map(({ node }) => node.id),
      ),
  },
  RecommendationEdge: {
    cursor: (edge) => edge.cursor(),
  },
  PropertyValue: propertyValueScalar,
  Item: {
    id: (item) => encodeGlobalId('Item', item.id),
  },
  ModelVersion: {
    id: (version) => encodeGlobalId('ModelVersion', version.id),
  },
};
