import { interactionPosition, type InteractionRow } from '@kindred/db/interactions';
import type { UserRow } from '@kindred/db/users';
import { checkPageSize, decodeCursor } from '@kindred/domain/cursor';
import { type Connection, toConnection } from '@kindred/service/connection';
import type { CatalogContext } from './context.ts';
import type { UserInteractionsArgs } from './generated/resolvers.ts';

/**
 * A page of what a user did, newest first.
 * @throws AppError BAD_USER_INPUT for a page size or cursor that cannot be.
 */
export async function listInteractions(
  context: CatalogContext,
  user: UserRow,
  args: UserInteractionsArgs,
): Promise<Connection<InteractionRow>> {
  const { after } = args;
  const first = checkPageSize(args.first);
  const afterCursorPosition = typeof after === 'string' ? decodeCursor(after) : null;
  const rows = await context.loaders.interactions.load({ userId: user.id, first: first + 1, afterCursorPosition });
  return toConnection(rows, { first, after }, interactionPosition);
}
