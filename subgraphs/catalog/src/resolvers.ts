import { AppError } from '@kindred/domain/app-error';
import { decodeGlobalId, encodeGlobalId, type ImportId } from '@kindred/domain/ids';
import { GraphQLDateTime, GraphQLJSONObject } from 'graphql-scalars';
import { findItem, findUser } from './find-by-external-id.ts';
import type { Resolvers } from './generated/resolvers.ts';
import { listErrors, listImports, subscribeToImport } from './imports.ts';
import { listInteractions } from './list-interactions.ts';
import { listItems } from './list-items.ts';
import { listUsers } from './list-users.ts';
import { recordInteractions } from './record-interactions.ts';
import { resolveImport, resolveItem, resolveTenant, resolveUser } from './references.ts';
import { cancelImport, startImport } from './start-import.ts';
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
    import: (_root, { id }, { loaders }) => loaders.imports.load(decodeGlobalId('Import', id)),
    imports: (_root, args, context) => listImports(context, args),
  },
  Mutation: {
    upsertItems: (_root, { input }, context) => upsertItems(context, input),
    recordInteractions: (_root, { input }, context) => recordInteractions(context, input),
    startImport: (_root, { input }, context) => startImport(context, input),
    cancelImport: (_root, { input }, context) => cancelImport(context, input),
  },
  Subscription: {
    importProgress: { subscribe: (_root, args, context) => subscribeToImport(context, args) },
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
  Import: {
    __resolveReference: resolveImport,
    id: (row) => encodeGlobalId('Import', row.id),
    kind: (row) => row.order.kind,
    format: (row) => row.order.format,
    errorPolicy: (row) => row.order.errorPolicy,
    phase: ({ state }) => state.phase ?? null,
    sizeBytes: ({ state }) => state.sizeBytes ?? null,
    doneBytes: ({ state }) => state.position ?? 0,
    rowCount: ({ state }) => state.rowCount ?? 0,
    writtenCount: ({ state }) => state.writtenCount ?? 0,
    duplicateCount: ({ state }) => state.duplicateCount ?? 0,
    failedCount: ({ state }) => state.failedCount ?? 0,
    errors: (row, args, context) => listErrors(context, row, args),
  },
  ImportEvent: {
    at: (event) => new Date(event.at),
    kind: (event) => event.body.kind,
    message: (event) => event.body.message,
    import: async ({ jobId }, _args, { loaders }) => {
      const row = await loaders.imports.load(jobId as ImportId);
      if (row === null) throw new AppError('NOT_FOUND', `The import ${jobId} was deleted meanwhile.`);
      return row;
    },
  },
};
