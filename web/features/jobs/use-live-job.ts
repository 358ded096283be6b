'use client';

import { useEffect, useEffectEvent, useState } from 'react';
import { type TypedDocumentNode, useSubscription } from 'urql';

const AGAIN_AFTER_MS = 3_000;

interface LiveJob {
  id: string;
  /** The last event that the page knows of. */
  lastSequence: number;
  over: boolean;
  /** Called when the stream stopped before the work did: what happened meanwhile has to be asked for. */
  onLost: () => void;
}

/**
 * Keeps a job of the cache up to date by its events, over any number of lost connections: each event carries the job as
 * it stands. Without a stream the page asks every few seconds.
 */
export function useLiveJob<Data>(
  document: TypedDocumentNode<Data, { id: string; afterSequence?: number | null }>,
  { id, lastSequence, over, onLost }: LiveJob,
): void {
  const [afterSequence, goOnAfter] = useState(lastSequence);
  const [{ fetching }, listenAgain] = useSubscription({
    query: document,
    variables: { id, afterSequence },
    pause: over,
  });
  const recover = useEffectEvent(() => {
    onLost();
    goOnAfter(lastSequence);
    listenAgain();
  });
  useEffect(() => {
    if (over || fetching) return undefined;
    const timer = setInterval(recover, AGAIN_AFTER_MS);
    return () => clearInterval(timer);
  }, [over, fetching]);
}
