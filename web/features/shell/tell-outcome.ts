import { notifications } from '@mantine/notifications';
import type { CombinedError } from 'urql';
import { problemText } from './problem.tsx';

export interface Outcome {
  error?: CombinedError | undefined;
  userErrors?: readonly { message: string }[] | undefined;
}

/** Why nothing came of a mutation, in one text; null when something did. */
export function problemOf({ error, userErrors = [] }: Outcome): string | null {
  if (error) return problemText(error);
  return userErrors.length === 0 ? null : userErrors.map(({ message }) => message).join(' ');
}

/** Tells what came of a mutation; whether something did. */
export function tellOutcome(outcome: Outcome, words: { done: string; failed: string }): boolean {
  const problem = problemOf(outcome);
  if (problem === null) notifications.show({ message: words.done });
  else notifications.show({ color: 'red', title: words.failed, message: problem });
  return problem === null;
}
