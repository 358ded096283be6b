import { setImmediate } from 'node:timers/promises';
import type { Db } from '@kindred/db/client';
import { type ItemFacts, readItemFacts, readItemFactsOf, readItemStamps } from '@kindred/db/items';
import type { ItemId, TenantId } from '@kindred/domain/ids';
import type { Logger } from '@kindred/service/logger';
import { LruCache } from '@kindred/service/lru-cache';
import type { ItemWhere } from '../generated/resolvers.ts';
import type { LoadedVersion } from '../load-version.ts';
import { CatalogueColumns } from './catalogue-columns.ts';
import { rowsWhere } from './item-where.ts';
import { RowSet } from './row-set.ts';
import type { VersionFilter } from './version-filter.ts';

/** Items that are read and taken in at once: some milliseconds, after which other requests are served. */
const ITEMS_AT_ONCE = 500;
/** Of a larger version nothing is read until the first filter comes: what filters look at may take a kilobyte an item. */
const MOST_PREPARED_ITEMS = 200_000;
/** Who has not filtered for so long is not told of every change at once. */
const FILTERED_LATELY_MS = 60_000;
/** A change whose message was lost is looked for after this long, and waited for after twice as long. */
const CHECK_EVERY_MS = 5_000;
/** A transaction may commit this long after the time that it gave its items. */
const LATEST_COMMIT_MS = 40_000;
const FILTERS_KEPT = { capacity: 200, maxWeight: 64 * 2 ** 20 };
/** With more rows that stand for nothing than items, everything is read anew. */
const MOST_STALE_ROWS_SHARE = 1;

interface CatalogueState {
  columns: CatalogueColumns;
  /** The item of each row; null once another row stands for it. */
  itemIds: (ItemId | null)[];
  rowOf: Map<ItemId, number>;
  updatedAtOf: number[];
}

interface ItemCatalogueDeps {
  db: Db;
  now: () => number;
  logger: Logger;
  /** Ends what is being read. */
  signal: AbortSignal;
}

/** What the items of one tenant are like, for filters: read beside a version, and kept current from then on. */
export class ItemCatalogue {
  readonly #tenantId: TenantId;
  readonly #deps: ItemCatalogueDeps;
  #loading: Promise<CatalogueState> | null = null;
  #running: Promise<void> | null = null;
  #checkedAt = 0;
  /** When the last read that succeeded began. */
  #readAt = 0;
  #filteredAt = Number.NEGATIVE_INFINITY;
  #isOutdated = false;
  #revision = 0;
  #filters = new LruCache<VersionFilter>(FILTERS_KEPT);

  constructor(tenantId: TenantId, deps: ItemCatalogueDeps) {
    this.#tenantId = tenantId;
    this.#deps = deps;
  }

  /** Changes with every change that has been read. */
  get revision(): number {
    return this.#revision;
  }

  /** Reads the items before the first filter comes, unless there are too many to read them for nobody. */
  prepare({ itemCount }: { itemCount: number }): void {
    if (itemCount <= MOST_PREPARED_ITEMS && this.#loading === null) void this.#begin().catch(() => undefined);
  }

  /**
   * Which items pass. Of no version those are all `unknownItemIds`.
   * @throws AppError BAD_USER_INPUT for a condition that cannot be.
   */
  async filter(where: ItemWhere, version: LoadedVersion | null): Promise<VersionFilter> {
    this.#filteredAt = this.#deps.now();
    if (this.#isOutdated || this.#checkAgeMs() >= 2 * CHECK_EVERY_MS) await this.refresh();
    const state = await (this.#loading ?? this.#begin());
    if (this.#checkAgeMs() >= CHECK_EVERY_MS) void this.refresh();
    const name = `${this.#revision} ${version?.id ?? ''} ${JSON.stringify(where)}`;
    const known = this.#filters.get(name);
    if (known !== undefined) return known;
    const alive = new RowSet(state.itemIds.length, state.rowOf.values());
    const filter = toVersionFilter(state, rowsWhere({ columns: state.columns, alive }, where), version);
    this.#filters.set(name, filter, 1_000 + filter.rows.length * 5 + filter.unknownItemIds.length * 8);
    return filter;
  }

  /**
   * Reads what changed since, once anything was read; where nobody filters, every few seconds, and else before the next
   * filter. A failure leaves things as they are until the next time.
   */
  async refresh(): Promise<void> {
    if (this.#loading === null) return;
    const isWanted = this.#deps.now() - this.#filteredAt < FILTERED_LATELY_MS;
    this.#isOutdated = !isWanted && this.#checkAgeMs() < CHECK_EVERY_MS;
    if (this.#isOutdated) return;
    this.#running ??= this.#readChanges().finally(() => {
      this.#running = null;
    });
    await this.#running.catch(() => undefined);
  }

  #checkAgeMs(): number {
    return this.#deps.now() - this.#checkedAt;
  }

  /** What fails is tried again by the next filter. */
  #begin(): Promise<CatalogueState> {
    const loading = this.#load();
    this.#loading = loading;
    loading.catch(() => {
      if (this.#loading === loading) this.#loading = null;
    });
    return loading;
  }

  async #load(): Promise<CatalogueState> {
    const { db, now, logger, signal } = this.#deps;
    const state = emptyState();
    this.#checkedAt = this.#readAt = now();
    for (let afterId: ItemId | null = null; ; ) {
      const page: { first: number; afterId: ItemId | null } = { first: ITEMS_AT_ONCE, afterId };
      signal.throwIfAborted();
      const items = await readItemFacts(db, this.#tenantId, page);
      for (const item of items) putItem(state, item);
      afterId = items.at(-1)?.id ?? null;
      if (items.length < ITEMS_AT_ONCE) break;
      await setImmediate();
    }
    this.#revision += 1;
    logger.info({ tenantId: this.#tenantId, itemCount: state.rowOf.size }, 'The items are known to filters');
    return state;
  }

  async #readChanges(): Promise<void> {
    const state = await this.#loading;
    if (state === null) return;
    const { db, now } = this.#deps;
    const beganAt = now();
    const window = { withinMs: beganAt - this.#readAt + LATEST_COMMIT_MS };
    this.#checkedAt = beganAt;
    const changedIds = (await readItemStamps(db, this.#tenantId, window))
      .filter(({ id, updatedAt }) => {
        const row = state.rowOf.get(id);
        return row === undefined || state.updatedAtOf[row] !== updatedAt.getTime();
      })
      .map(({ id }) => id);
    for (let start = 0; start < changedIds.length; start += ITEMS_AT_ONCE) {
      const items = await readItemFactsOf(db, this.#tenantId, changedIds.slice(start, start + ITEMS_AT_ONCE));
      for (const item of items) putItem(state, item);
      this.#revision += 1;
    }
    this.#readAt = beganAt;
    if (changedIds.length === 0) return;
    const staleCount = state.itemIds.length - state.rowOf.size;
    if (staleCount > state.rowOf.size * MOST_STALE_ROWS_SHARE) void this.#begin().catch(() => undefined);
  }
}

function emptyState(): CatalogueState {
  return { columns: new CatalogueColumns(), itemIds: [], rowOf: new Map(), updatedAtOf: [] };
}

function putItem(state: CatalogueState, item: ItemFacts): void {
  const before = state.rowOf.get(item.id);
  if (before !== undefined) state.itemIds[before] = null;
  const row = state.itemIds.push(item.id) - 1;
  state.rowOf.set(item.id, row);
  state.updatedAtOf[row] = item.updatedAt.getTime();
  state.columns.add(row, item);
}

function toVersionFilter(
  { itemIds, rowOf }: CatalogueState,
  passing: RowSet,
  version: LoadedVersion | null,
): VersionFilter {
  const rows: number[] = [];
  const unknownItemIds: ItemId[] = [];
  for (const row of passing.rows()) {
    const itemId = itemIds[row] ?? null;
    if (itemId === null) continue;
    const versionRow = version?.itemRows.get(itemId);
    if (versionRow === undefined) unknownItemIds.push(itemId);
    else rows.push(versionRow);
  }
  const versionRows = new RowSet(version?.itemIds.length ?? 0, rows);
  return {
    rows: Int32Array.from(rows).toSorted(),
    unknownItemIds,
    hasRow: (row) => versionRows.has(row),
    hasItem: (itemId) => passing.has(rowOf.get(itemId) ?? -1),
  };
}
