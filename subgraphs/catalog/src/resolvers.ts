import { AppError } from '@kindred/domain/app-error';
import { encodeGlobalId } from '@kindred/domain/ids';
import { GraphQLDateTime, GraphQLJSONObject } from 'graphql-scalars';
import { findItem, findUser } from './find-by-external-id.ts';
import type { Resolvers } from './generated/resolvers.ts';
import { listInteractions } from './list-interactions.ts';
import { listItems } from './list-items.ts';
import { listUsers } from './list-users.ts';
import { recordInteractions } from './record-interactions.ts';
import { resolveItem, resolveTenant, resolveUser } from './references.ts';
import { upsertItems } from './upsert-items.ts';

/** Scopes are enforced by the server from the directives in schema.graphql. */
export const resolvers: Resolvers = {
  DateTime: GraphQLDateTime,
  JSONObject: GraphQLJSONObject,
  Query: {
    item: (_root, { externalId }, context) => findItem(context, externalId),
    items: (_root, args, context) => listItems(context, args),
    user: (_root, { externalId }, context) => findUser(context, externalId),
    users: (_root, args, context) => listUsers(context, args),
  },
  Mutation: {
    upsertItems: (_root, { input }, context) => upsertItems(context, input),
    recordInteractions: (_root, { input }, context) => recordInteractions(context, input),
  },
  Tenant: {
    __resolveReference: resolveTenant,
    id: (tenant) => encodeGlobalId('Tenant', tenant.id),
    catalog: (tenant, _args, { loaders }) => loaders.catalogCounts.load(tenant.id),
  },
  Item: {
    __resolveReference: resolveItem,
    id: (item) => encodeGlobalId('Item', item.id),
  },
  User: {
    __resolveReference: resolveUser,
    id: (user) => encodeGlobalId('User', user.id),
    interactions: (user, args, context) => listInteractions(context, user, args),
  },
  Interaction: {
    item: async (interaction, _args, { loaders }) => {
      const item = await loaders.items.load(interaction.itemId);
      if (item === null)
        throw new AppError(
          'NOT_FOUND',
          `The item ${encodeGlobalId('Item', interaction.itemId)} was deleted meanwhile.`,
        );
      return item;
    },
  },
};
