import { setImmediate } from 'node:timers/promises';
import type { Db } from '@kindred/db/client';
import { type ItemFacts, listChangedItems, listItemFacts } from '@kindred/db/items';
import { withTenant } from '@kindred/db/tenants';
import type { ItemId, TenantId } from '@kindred/domain/ids';
import { LruCache } from '@kindred/service/lru-cache';
import type { ItemWhere } from '../generated/resolvers.ts';
import type { LoadedVersion } from '../load-version.ts';
import { CatalogueColumns } from './catalogue-columns.ts';
import { rowsWhere } from './item-where.ts';
import { RowSet } from './row-set.ts';
import type { VersionFilter } from './version-filter.ts';

/** Items in one transaction; between two of them other requests are served. */
const ITEMS_AT_ONCE = 2_000;
/** A change whose message was lost is found after this long. */
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

/** What the items of one tenant are like, for filters: read when the first filter comes, and kept current from then on. */
export class ItemCatalogue {
  readonly #tenantId: TenantId;
  readonly #deps: { db: Db; now: () => number };
  #loading: Promise<CatalogueState> | null = null;
  #running: Promise<void> | null = null;
  #checkedAt = 0;
  /** When the last read that succeeded began. */
  #readAt = 0;
  #revision = 0;
  #filters = new LruCache<VersionFilter>(FILTERS_KEPT);

  constructor(tenantId: TenantId, deps: { db: Db; now: () => number }) {
    this.#tenantId = tenantId;
    this.#deps = deps;
  }

  /** Changes with every change that has been read. */
  get revision(): number {
    return this.#revision;
  }

  /**
   * Which items pass. Of no version those are all `unknownItemIds`.
   * @throws AppError BAD_USER_INPUT for a condition that cannot be.
   */
  async filter(where: ItemWhere, version: LoadedVersion | null): Promise<VersionFilter> {
    this.#loading ??= this.#load();
    let state: CatalogueState;
    try {
      state = await this.#loading;
    } catch (error) {
      this.#loading = null;
      throw error;
    }
    if (this.#deps.now() - this.#checkedAt >= CHECK_EVERY_MS) void this.refresh();
    const name = `${this.#revision} ${version?.id ?? ''} ${JSON.stringify(where)}`;
    const known = this.#filters.get(name);
    if (known !== undefined) return known;
    const alive = new RowSet(state.itemIds.length, state.rowOf.values());
    const filter = toVersionFilter(state, rowsWhere({ columns: state.columns, alive }, where), version);
    this.#filters.set(name, filter, 1_000 + filter.rows.length * 5 + filter.unknownItemIds.length * 8);
    return filter;
  }

  /** Reads what changed since; nothing before the first filter. A failure leaves things as they are until the next time. */
  async refresh(): Promise<void> {
    if (this.#loading === null) return;
    this.#running ??= this.#readChanges().finally(() => {
      this.#running = null;
    });
    await this.#running.catch(() => undefined);
  }

  async #load(): Promise<CatalogueState> {
    const state = emptyState();
    this.#checkedAt = this.#readAt = this.#deps.now();
    for (let afterId: ItemId | null = null; ; ) {
      const page: { first: number; afterId: ItemId | null } = { first: ITEMS_AT_ONCE, afterId };
      const items = await withTenant(this.#deps.db, this.#tenantId, (tx) => listItemFacts(tx, page));
      for (const item of items) putItem(state, item);
      afterId = items.at(-1)?.id ?? null;
      if (items.length < ITEMS_AT_ONCE) break;
      await setImmediate();
    }
    this.#revision += 1;
    return state;
  }

  async #readChanges(): Promise<void> {
    const state = await this.#loading;
    if (state === null) return;
    const now = this.#deps.now();
    const window = { withinMs: now - this.#readAt + LATEST_COMMIT_MS };
    this.#checkedAt = now;
    const items = await withTenant(this.#deps.db, this.#tenantId, (tx) => listChangedItems(tx, window));
    this.#readAt = now;
    const changed = items.filter(({ id, updatedAt }) => {
      const row = state.rowOf.get(id);
      return row === undefined || state.updatedAtOf[row] !== updatedAt.getTime();
    });
    if (changed.length === 0) return;
    for (const item of changed) putItem(state, item);
    const staleCount = state.itemIds.length - state.rowOf.size;
    if (staleCount > state.rowOf.size * MOST_STALE_ROWS_SHARE) this.#loading = this.#load();
    this.#revision += 1;
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
