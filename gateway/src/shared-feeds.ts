import type { EventFeed, FeedPlace } from './event-feed.ts';

/** The feeds that others may join, by what they are of. */
export class SharedFeeds {
  readonly #byKey = new Map<string, EventFeed>();

  /**
   * The feed that goes on for one who has read up to `sequence` in `own`, and the place in it: the one that others follow
   * already, or `own`, which others may join from now on. Undefined where nothing changes.
   */
  settle(key: string, own: EventFeed, sequence: number): { feed: EventFeed; place: FeedPlace } | undefined {
    const shared = this.#byKey.get(key);
    if (shared === own) return undefined;
    if (shared === undefined || shared.hasEnded) {
      this.#byKey.set(key, own);
      return undefined;
    }
    const place = shared.placeAfter(sequence);
    return place && { feed: shared, place };
  }

  /** Nobody joins a feed that has ended. */
  forget(key: string, feed: EventFeed): void {
    if (feed.hasEnded && this.#byKey.get(key) === feed) this.#byKey.delete(key);
  }
}
