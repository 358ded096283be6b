import type { Db } from '@kindred/db/client';
import { withTenant } from '@kindred/db/tenants';
import type { TenantId, UserId } from '@kindred/domain/ids';
import { promotionTopic } from '@kindred/domain/training';
import type { EventBus } from '@kindred/service/event-bus';
import type { Logger } from '@kindred/service/logger';
import type { ObjectStore } from '@kindred/service/object-store';
import type { Figures } from './figures.ts';
import { ItemCatalogue } from './filter/item-catalogue.ts';
import { type HeldTrial, HeldVersion, type Lease, leaseOf } from './held-version.ts';
import { type LoadedVersion, loadVersion, type VersionRecord } from './load-version.ts';
import { PopularItems } from './popular-items.ts';
import { findWantedVersions, isOf, type WantedTrial } from './wanted-versions.ts';

export interface LiveTenantDeps {
  db: Db;
  objects: ObjectStore;
  events: EventBus;
  logger: Logger;
  /** A monotonic clock in milliseconds. */
  now: () => number;
  figures: Pick<Figures, 'countRefusal'>;
  /** Searches that come while others run share calls of at most this many; 1 makes each a call of its own. */
  mostSearchesAtOnce: number;
  /** Called when a version is loaded or let go. */
  onSwap: () => void;
}

/** A promotion whose message was lost is found after this long. */
const CHECK_EVERY_MS = 5_000;
/** While promotions are not heard, the database is asked this often, so that one is in effect within 2 s. */
const CHECK_WHEN_DEAF_EVERY_MS = 1_000;
/** Nobody asks for a tenant that was not asked for in so long. */
const WATCHED_FOR_MS = 600_000;
/** A version that could not be loaded is tried again after this long: the store may have been away. */
const RETRY_AFTER_MS = 30_000;

/** What one tenant is answered with: the serving version and the one before it, kept current in the background. */
export class LiveTenant {
  readonly #tenantId: TenantId;
  readonly #deps: LiveTenantDeps;
  readonly #popular: PopularItems;
  readonly #catalogue: ItemCatalogue;
  readonly #stop = new AbortController();
  #current: HeldVersion | null = null;
  #previous: HeldVersion | null = null;
  #trial: HeldTrial | null = null;
  #refused: { artefactKey: string; retryAt: number } | null = null;
  #first: Promise<void> | null = null;
  #running: Promise<void> | null = null;
  #isOutdated = false;
  #isListening = false;
  #isDeaf = false;
  #hears = false;
  #askedAt = Number.NEGATIVE_INFINITY;
  readonly #watch: NodeJS.Timeout;
  #checkedAt = Number.NEGATIVE_INFINITY;

  constructor(tenantId: TenantId, deps: LiveTenantDeps) {
    this.#tenantId = tenantId;
    this.#deps = deps;
    this.#popular = new PopularItems(tenantId, deps);
    this.#watch = setInterval(() => this.#checkWhenDeaf(), CHECK_WHEN_DEAF_EVERY_MS).unref();
    this.#catalogue = new ItemCatalogue(tenantId, { ...deps, signal: this.#stop.signal });
  }

  get sizeBytes(): number {
    const held = [this.#current, this.#previous, this.#trial?.held];
    return held.reduce((sum, each) => sum + (each?.version.sizeBytes ?? 0), 0);
  }

  /**
   * The versions to answer with: at once, but for the first time, which waits for the load. Looks for a newer version in
   * the background when it is time to.
   */
  async lease(): Promise<Lease> {
    this.#askedAt = this.#deps.now();
    this.#first ??= this.refresh();
    try {
      await this.#first;
    } catch (error) {
      this.#first = null;
      throw error;
    }
    if (this.#deps.now() - this.#checkedAt >= CHECK_EVERY_MS) void this.#refreshLater();
    const versions = { current: this.#current, previous: this.#previous, trial: this.#trial };
    return leaseOf(versions, { popular: this.#popular, catalogue: this.#catalogue });
  }

  /** Makes what the database says now the current version; calls during a refresh make it look once more. */
  refresh(): Promise<void> {
    this.#isOutdated = true;
    this.#running ??= this.#refreshWhileOutdated().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** How many of the versions in memory have a vector of this user. */
  countVectorsOf(userId: UserId): number {
    return [this.#current, this.#previous, this.#trial?.held].filter((held) => held?.version.userRows.has(userId))
      .length;
  }

  /** The tenant's items changed. */
  async refreshCatalogue(): Promise<void> {
    await this.#catalogue.refresh();
  }

  /** Lets go of the versions; requests under way keep theirs, and those that wait for the load get it. */
  async stop(): Promise<void> {
    this.#stop.abort();
    clearInterval(this.#watch);
    await this.#running?.catch(() => undefined);
    this.#current?.letGo();
    this.#previous?.letGo();
    this.#trial?.held?.letGo();
    this.#current = this.#previous = this.#trial = null;
  }

  async #refreshWhileOutdated(): Promise<void> {
    while (this.#isOutdated && !this.#stop.signal.aborted) {
      this.#isOutdated = false;
      await this.#check();
    }
  }

  async #check(): Promise<void> {
    this.#checkedAt = this.#deps.now();
    if (!this.#isListening) void this.#listen();
    const { serving, previous, trial } = await withTenant(this.#deps.db, this.#tenantId, (tx) =>
      findWantedVersions(tx, this.#previous?.version.id),
    );
    await this.#renewPrevious(previous);
    await this.#swap(serving);
    await this.#swapTrial(trial);
    if (this.#current !== null) this.#catalogue.prepare({ itemCount: this.#current.version.itemIds.length });
  }

  async #swap(wanted: VersionRecord | null): Promise<void> {
    if (isOf(this.#current, wanted)) return;
    if (wanted !== null && isOf(this.#previous, wanted)) {
      [this.#current, this.#previous] = [this.#previous, this.#current];
      return;
    }
    const next = wanted && (this.#takeFromTrial(wanted) ?? (await this.#hold(wanted)));
    if (wanted !== null && next === null) return;
    const [before, oldest] = [this.#current, this.#previous];
    this.#current = next;
    if (before?.version.id === wanted?.id) {
      this.#letGo(before);
    } else {
      this.#previous = before;
      this.#letGo(oldest);
    }
    this.#deps.onSwap();
  }

  /** The version that answered before is loaded anew when its files have changed: a user was erased from them. */
  async #renewPrevious(record: VersionRecord | null): Promise<void> {
    const before = this.#previous;
    if (before === null || isOf(before, record)) return;
    this.#previous = record && (await this.#hold(record));
    this.#letGo(before);
    this.#deps.onSwap();
  }

  /** A version that was on trial and is promoted is in memory already. */
  #takeFromTrial(wanted: VersionRecord): HeldVersion | null {
    const held = this.#trial?.held ?? null;
    return isOf(held, wanted) ? (held?.hold() ?? null) : null;
  }

  async #swapTrial(wanted: WantedTrial | null): Promise<void> {
    const before = this.#trial;
    if (before === null && wanted === null) return;
    if (wanted !== null && before !== null && before.held !== null && isOf(before.held, wanted.record)) return;
    this.#trial = wanted && { ...wanted, held: await this.#hold(wanted.record) };
    this.#letGo(before?.held ?? null);
    this.#deps.onSwap();
  }

  #letGo(held: HeldVersion | null): void {
    if (held === null) return;
    held.letGo();
    const { artefactFileKey } = held.version;
    const kept = [this.#current, this.#previous, this.#trial?.held];
    if (kept.some((other) => other?.version.artefactFileKey === artefactFileKey)) return;
    void this.#deps.objects.evict(artefactFileKey).catch((err: unknown) => {
      const { logger } = this.#deps;
      logger.warn({ err, tenantId: this.#tenantId }, 'The local file of a version that is not held any more stays');
    });
  }

  async #hold(wanted: VersionRecord): Promise<HeldVersion | null> {
    const loaded = await this.#load(wanted);
    return loaded && new HeldVersion(loaded);
  }

  /** Null for a version that cannot be loaded: what answered before goes on answering. */
  async #load(wanted: VersionRecord): Promise<LoadedVersion | null> {
    const { logger, objects, now, figures } = this.#deps;
    const place = { tenantId: this.#tenantId, versionId: wanted.id };
    if (this.#refused?.artefactKey === wanted.artefactKey && now() < this.#refused.retryAt) return null;
    try {
      const loaded = await loadVersion(objects, wanted, this.#deps);
      const { kind, factory, size, notice } = loaded.index;
      if (notice !== null)
        logger.warn({ ...place, notice }, 'The index is not the one that the version was built with');
      logger.info({ ...place, kind, factory, itemCount: size }, 'A version is loaded');
      return loaded;
    } catch (err) {
      this.#refused = { artefactKey: wanted.artefactKey, retryAt: now() + RETRY_AFTER_MS };
      figures.countRefusal();
      const stays = this.#current?.version.id ?? null;
      logger.error({ err, ...place, stays }, 'A version cannot be loaded; what answered before goes on answering');
      return null;
    }
  }

  #checkWhenDeaf(): void {
    if (this.#hears || this.#first === null) return;
    if (this.#deps.now() - this.#askedAt < WATCHED_FOR_MS) void this.#refreshLater();
  }

  async #refreshLater(): Promise<void> {
    try {
      await this.refresh();
    } catch (err) {
      const { logger } = this.#deps;
      logger.warn({ err, tenantId: this.#tenantId }, 'The serving version was not looked up; the one before goes on');
    }
  }

  /** Follows promotions until the tenant is stopped or Redis breaks; the next check listens again. */
  async #listen(): Promise<void> {
    this.#isListening = true;
    try {
      const promotions = this.#deps.events.subscribe(promotionTopic(this.#tenantId), this.#stop.signal);
      await promotions.ready;
      this.#isDeaf = false;
      this.#hears = true;
      // What was promoted before this moment was not heard.
      void this.#refreshLater();
      for await (const message of promotions) {
        this.#deps.logger.debug({ tenantId: this.#tenantId, message }, 'A promotion was announced');
        void this.#refreshLater();
      }
    } catch (err) {
      const { logger } = this.#deps;
      const place = { err, tenantId: this.#tenantId };
      if (!this.#isDeaf) logger.warn(place, 'Promotions are not heard; the database is looked at instead');
      this.#isDeaf = true;
    } finally {
      this.#hears = false;
      this.#isListening = false;
    }
  }
}
