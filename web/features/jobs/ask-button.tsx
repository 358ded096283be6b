'use client';

import { Button, type ButtonProps } from '@mantine/core';
import { useState } from 'react';
import { type Outcome, tellOutcome } from '../shell/tell-outcome.ts';

interface AskButtonProps extends ButtonProps {
  /** Sends the mutation. */
  ask: () => Promise<Outcome>;
  words: { done: string; failed: string };
  onDone?: () => void;
  testId: string;
}

/** A button that asks for one thing, waits for the answer and tells it. */
export function AskButton({ ask, words, onDone, testId, ...button }: AskButtonProps) {
  const [pending, setPending] = useState(false);
  const send = async (): Promise<void> => {
    setPending(true);
    const outcome = await ask();
    setPending(false);
    if (tellOutcome(outcome, words)) onDone?.();
  };
  return <Button variant="default" {...button} loading={pending} onClick={() => void send()} data-testid={testId} />;
}
