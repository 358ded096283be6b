import type { FormattedExecutionResult } from 'graphql';
import type { Credential } from './auth.ts';
import type { EventFeed, FeedPlace } from './event-feed.ts';
import type { OperationResults } from './operation-results.ts';
import type { SharedFeeds } from './shared-feeds.ts';
import { watchCredential } from './watch-credential.ts';

/** With whom a subscription may share its events. */
export interface Sharing {
  feeds: SharedFeeds;
  /** Equal for whoever gets equal results: the same operation and variables but for where it begins, the same rights. */
  key: string;
}

export interface SubscriptionResultsOptions {
  /** Ends with it; undefined where the connection does. */
  credential: Credential | undefined;
  /** A feed of its own, behind a sequence where it goes on; else from where the client wants it. */
  open(afterSequence: number | undefined): EventFeed;
  sharing: Sharing | undefined;
  formatError(error: unknown): FormattedExecutionResult;
  /** Called once, when nothing is open any more. */
  onEnd(): void;
}

const FROM_THE_START: FeedPlace = { index: 0, readTo: -Infinity };

/**
 * The results of one subscription for one consumer, each as JSON; who asks for them one at a time. Everybody's events
 * come from an upstream of their own at first, which checks their rights and tells them what they missed; once level with
 * a feed that others follow, they read that one, until they are too far behind for it. Ending it leaves the feed even
 * while the consumer waits. An upstream that fails and a credential that ends become a last result with errors.
 */
export class SubscriptionResults implements OperationResults {
  readonly #options: SubscriptionResultsOptions;
  readonly #stopWatching: () => void;
  #feed: EventFeed;
  #place: FeedPlace;
  #taker: ((result: string | undefined) => void) | undefined;
  #failure: { error: unknown } | undefined;
  #ended = false;

  constructor(options: SubscriptionResultsOptions) {
    this.#options = options;
    this.#place = { ...FROM_THE_START };
    this.#feed = options.open(undefined);
    this.#feed.enter();
    this.#stopWatching = options.credential === undefined ? () => {} : this.#watch(options.credential);
  }

  ask(take: (result: string | undefined) => void): void {
    this.#taker = take;
    this.#serve();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stopWatching();
    this.#feed.forget(this.#serve);
    this.#leave();
    this.#options.onEnd();
    this.#give(undefined);
  }

  /** Gives who asked what there is, or waits until there is more. One function for all waits. */
  readonly #serve = (): void => {
    while (this.#taker !== undefined) {
      if (this.#ended) this.#give(undefined);
      else if (this.#failure !== undefined) this.#giveLast(this.#failure.error);
      else {
        const text = this.#take();
        if (text !== undefined) this.#give(text);
        else if (this.#feed.hasLost(this.#place)) this.#goOnAlone();
        else if (this.#feed.hasEnded) this.end();
        else {
          this.#feed.wait(this.#serve);
          return;
        }
      }
    }
  };

  #give(result: string | undefined): void {
    const take = this.#taker;
    this.#taker = undefined;
    take?.(result);
  }

  #giveLast(error: unknown): void {
    const take = this.#taker;
    this.#taker = undefined;
    this.end();
    take?.(JSON.stringify(this.#options.formatError(error)));
  }

  /** The next result that is there and was not read yet. */
  #take(): string | undefined {
    for (;;) {
      const result = this.#feed.at(this.#place);
      if (result === undefined) return undefined;
      this.#place.index += 1;
      const { text, sequence } = result;
      if (sequence === undefined) return text;
      if (sequence <= this.#place.readTo) continue;
      this.#place.readTo = sequence;
      this.#settle(sequence);
      return text;
    }
  }

  #settle(sequence: number): void {
    const { sharing } = this.#options;
    const settled = sharing?.feeds.settle(sharing.key, this.#feed, sequence);
    if (settled !== undefined) this.#moveTo(settled.feed, settled.place);
  }

  /** What was missed is read from the upstream again, and no other reader waits for that. */
  #goOnAlone(): void {
    const { readTo } = this.#place;
    this.#moveTo(this.#options.open(readTo), { index: 0, readTo });
  }

  #moveTo(feed: EventFeed, place: FeedPlace): void {
    feed.enter();
    this.#leave();
    this.#feed = feed;
    this.#place = place;
  }

  #leave(): void {
    const { sharing } = this.#options;
    this.#feed.leave();
    sharing?.feeds.forget(sharing.key, this.#feed);
  }

  #watch(credential: Credential): () => void {
    return watchCredential(credential, (error) => {
      this.#failure ??= { error };
      this.#feed.forget(this.#serve);
      this.#serve();
    });
  }
}
