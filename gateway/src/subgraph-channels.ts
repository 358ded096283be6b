import { type ChannelKeys, SubgraphChannel } from './subgraph-channel.ts';

/** So many calls are under way on a channel before another one is opened: fewer channels mean fewer system calls. */
const BUSY_CALLS = 32;
const MOST_CHANNELS = 4;
/** New replicas of a subgraph get their share when channels are opened anew. */
const CHANNEL_LIFE_MS = 300_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/** The channels to one subgraph, opened when they are wanted; what they cannot take now goes over HTTP. */
export class SubgraphChannels {
  readonly #origin: string;
  readonly #createKeys: () => ChannelKeys;
  readonly #channels = new Set<SubgraphChannel>();
  #pauseMs = FIRST_PAUSE_MS;
  #connectFrom = 0;
  #isClosed = false;

  constructor(origin: string, createKeys: () => ChannelKeys) {
    this.#origin = origin;
    this.#createKeys = createKeys;
  }

  /** A channel that takes a call now; undefined while there is none. */
  take(): SubgraphChannel | undefined {
    const now = performance.now();
    let best: SubgraphChannel | undefined;
    let isConnecting = false;
    for (const channel of this.#channels) {
      if (channel.state === 'connecting') isConnecting = true;
      if (channel.state !== 'open') continue;
      if (now - channel.openedAt > CHANNEL_LIFE_MS) {
        channel.retire();
        continue;
      }
      if (channel.underWay < BUSY_CALLS) return channel;
      if (best === undefined || channel.underWay < best.underWay) best = channel;
    }
    const mayConnect = !isConnecting && !this.#isClosed && now >= this.#connectFrom;
    if (mayConnect && this.#channels.size < MOST_CHANNELS) this.#connect();
    return best;
  }

  close(): void {
    this.#isClosed = true;
    for (const channel of this.#channels) channel.terminate();
  }

  #connect(): void {
    const channel = new SubgraphChannel(this.#origin, this.#createKeys(), (wasOpen) => {
      this.#channels.delete(channel);
      this.#pauseMs = wasOpen ? FIRST_PAUSE_MS : Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS);
      if (!wasOpen) this.#connectFrom = performance.now() + this.#pauseMs;
    });
    this.#channels.add(channel);
  }
}
