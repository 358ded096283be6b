import type { Db } from '@kindred/db/client';
import { findItems, type ItemRow, type ItemStamp } from '@kindred/db/items';
import { withTenant } from '@kindred/db/tenants';
import { ITEMS_CHANGED_TOPIC, readItemsChanged, writeItemsChanged } from '@kindred/domain/catalog-events';
import type { ItemId, TenantId } from '@kindred/domain/ids';
import { Batcher } from '@kindred/service/batcher';
import type { EventBus } from '@kindred/service/event-bus';
import { followTopic } from '@kindred/service/follow-topic';
import type { Logger } from '@kindred/service/logger';
import { LruCache } from '@kindred/service/lru-cache';
import { ChangeWatch } from './change-watch.ts';

/** Items in memory, for the page of titles that every recommendation asks for. */
export interface ItemCache {
  /** The items of `ids` that the tenant has. They are shared: not to be changed. */
  find(tenantId: TenantId, ids: readonly ItemId[]): Promise<Map<ItemId, ItemRow>>;
  /** To be awaited after items were written and before that is acknowledged: all replicas forget them. */
  forget(tenantId: TenantId, ids: readonly ItemId[]): Promise<void>;
  close(): void;
}

export interface ItemCacheOptions {
  db: Db;
  events: EventBus;
  logger: Logger;
  /** 0 keeps nothing. */
  maxBytes: number;
  /** A monotonic clock in milliseconds. */
  now?: () => number;
}

const MOST_ITEMS = 1_000_000;
/** The bound for a change whose message never reached Redis. */
const KEPT_FOR_MS = 60_000;
const READS_AT_ONCE = 50;
/** An entry of a map, a row and its dates. */
const BYTES_PER_ITEM = 500;

interface Entry {
  tenantId: TenantId;
  item: ItemRow;
  readAt: number;
}

/** While it does not hear of changes, such as without Redis, it looks for them: they are seen after two seconds. */
export function createItemCache(options: ItemCacheOptions): ItemCache {
  const { db, events, logger, maxBytes, now = () => performance.now() } = options;
  const stop = new AbortController();
  let entries = emptyCache(maxBytes);
  let isListening = false;
  /** Of what was changed before, nobody may have heard. */
  let heardFrom = 0;
  /** Counts changes: what was read while one came in may be what was before. */
  let changeCount = 0;
  const forgetHere = (ids: readonly ItemId[] | null): void => {
    changeCount += 1;
    if (ids === null) entries = emptyCache(maxBytes);
    else for (const id of ids) entries.delete(id);
  };
  const onLook = (tenantId: TenantId, stamps: readonly ItemStamp[]): void => {
    const changed = changedOf(entries, tenantId, stamps);
    if (changed.length > 0) forgetHere(changed);
  };
  const watchChanges = (hasItems: boolean) => new ChangeWatch({ db, now, keptForMs: KEPT_FOR_MS, hasItems, onLook });
  let watch = watchChanges(false);
  const isSure = (tenantId: TenantId): boolean =>
    isListening && (now() >= heardFrom + KEPT_FOR_MS || watch.hasLookedSince(tenantId, heardFrom));
  const read = createBatchedRead(db);
  const find = async (tenantId: TenantId, ids: readonly ItemId[]): Promise<Map<ItemId, ItemRow>> => {
    if (!isSure(tenantId)) await watch.follow(tenantId);
    const found = findKept(entries, { tenantId, ids, oldest: now() - KEPT_FOR_MS });
    if (found.size === ids.length) return found;
    const countBefore = changeCount;
    const readAt = now();
    const missing = ids.filter((id) => !found.has(id));
    for (const item of await read(tenantId, missing)) {
      found.set(item.id, item);
      if (changeCount === countBefore) {
        entries.set(item.id, { tenantId, item, readAt }, sizeOf(item));
      }
    }
    return found;
  };
  hearChanges(events, stop.signal, {
    onBegin: () => {
      isListening = true;
      heardFrom = now();
    },
    onChange: forgetHere,
    onLost: (err) => {
      // Told of every try to hear again; what was kept since the first one has its own bound.
      if (!isListening) return;
      logger.warn({ err }, 'Changes of items are not heard; they are looked for, and seen after two seconds');
      isListening = false;
      // What was not heard is found by the first look: to read all items anew would cost much more.
      watch = watchChanges(true);
      changeCount += 1;
    },
  });
  return {
    find,
    forget: async (tenantId, ids) => {
      forgetHere(ids);
      await tellChange(options, tenantId, ids);
    },
    close: () => stop.abort(),
  };
}

function findKept(
  entries: LruCache<Entry>,
  { tenantId, ids, oldest }: { tenantId: TenantId; ids: readonly ItemId[]; oldest: number },
): Map<ItemId, ItemRow> {
  const found = new Map<ItemId, ItemRow>();
  for (const id of ids) {
    const entry = entryOf(entries, tenantId, id);
    if (entry !== undefined && entry.readAt >= oldest) found.set(id, entry.item);
  }
  return found;
}

/** Another tenant's item of the same id, which takes the place of this one, is none. */
function entryOf(entries: LruCache<Entry>, tenantId: TenantId, id: ItemId): Entry | undefined {
  const entry = entries.get(id);
  return entry?.tenantId === tenantId ? entry : undefined;
}

/** Those that were written since they were read, or that are not in memory: one may just be on its way there. */
function changedOf(entries: LruCache<Entry>, tenantId: TenantId, stamps: readonly ItemStamp[]): ItemId[] {
  const isOther = ({ id, updatedAt }: ItemStamp) =>
    entryOf(entries, tenantId, id)?.item.updatedAt.getTime() !== updatedAt.getTime();
  return stamps.filter(isOther).map(({ id }) => id);
}

async function tellChange(
  { events, logger }: Pick<ItemCacheOptions, 'events' | 'logger'>,
  tenantId: TenantId,
  ids: readonly ItemId[],
): Promise<void> {
  await events.publish(ITEMS_CHANGED_TOPIC, writeItemsChanged(tenantId, ids)).catch((err: unknown) => {
    logger.warn({ err, tenantId }, 'A change of items was not told; other replicas may be a minute behind');
  });
}

interface ChangeListener {
  onBegin: () => void;
  onChange: (ids: readonly ItemId[] | null) => void;
  onLost: (err: unknown) => void;
}

function hearChanges(events: EventBus, signal: AbortSignal, { onBegin, onChange, onLost }: ChangeListener): void {
  const onMessage = (message: string) => onChange(readItemsChanged(message).itemIds);
  void followTopic(events, { topic: ITEMS_CHANGED_TOPIC, signal, onBegin, onMessage, onLost });
}

/** Requests of one tenant that miss at the same time share a transaction. */
function createBatchedRead(db: Db): (tenantId: TenantId, ids: readonly ItemId[]) => Promise<ItemRow[]> {
  const batchers = new LruCache<Batcher<readonly ItemId[], ItemRow[]>>({ capacity: 1_000, maxWeight: 1_000 });
  return (tenantId, ids) => {
    let batcher = batchers.get(tenantId);
    if (batcher === undefined) {
      batcher = new Batcher((lists) => readLists(db, tenantId, lists), { mostAtOnce: READS_AT_ONCE });
      batchers.set(tenantId, batcher, 1);
    }
    return batcher.ask(ids);
  };
}

async function readLists(db: Db, tenantId: TenantId, lists: readonly (readonly ItemId[])[]): Promise<ItemRow[][]> {
  const items = await withTenant(db, tenantId, (tx) => findItems(tx, [...new Set(lists.flat())]));
  const byId = new Map(items.map((item) => [item.id, item]));
  return lists.map((ids) => ids.flatMap((id) => byId.get(id) ?? []));
}

function emptyCache(maxBytes: number): LruCache<Entry> {
  return new LruCache({ capacity: MOST_ITEMS, maxWeight: maxBytes });
}

function sizeOf({ externalId, title, categories, properties }: ItemRow): number {
  const characters =
    externalId.length + title.length + JSON.stringify(categories).length + JSON.stringify(properties).length;
  return BYTES_PER_ITEM + 2 * characters;
}
