'use client';

import { Button } from '@mantine/core';
import { IconAlertTriangle, IconPlugConnectedX } from '@tabler/icons-react';
import type { CombinedError } from 'urql';
import classes from './problem.module.css';

interface ProblemProps {
  title: string;
  message: string;
  onRetry?: () => void;
  offline?: boolean;
}

/** What stands where content would be when it cannot be had. */
export function Problem({ title, message, onRetry, offline = false }: ProblemProps) {
  const Icon = offline ? IconPlugConnectedX : IconAlertTriangle;
  return (
    <div className={classes.problem} role="alert" data-testid="problem">
      <span className={classes.icon}>
        <Icon size={20} stroke={1.6} aria-hidden="true" />
      </span>
      <p className={classes.title}>{title}</p>
      <p className={classes.message}>{message}</p>
      {onRetry === undefined ? null : (
        <Button variant="default" onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}

/** A failed query as a problem that can be tried again. */
export function QueryProblem({ error, onRetry }: { error: CombinedError; onRetry: () => void }) {
  if (error.networkError) {
    return (
      <Problem
        offline
        title="Kindred cannot be reached"
        message="The API did not answer. It may be starting, or the connection is down."
        onRetry={onRetry}
      />
    );
  }
  return <Problem title="This could not be loaded" message={problemText(error)} onRetry={onRetry} />;
}

/** What a failed operation says, for people: the gateway's own words, without the client's prefix. */
export function problemText(error: CombinedError): string {
  if (error.networkError) return 'The API did not answer. Check the connection and try again.';
  return error.graphQLErrors.map(({ message }) => message).join(' ') || 'Something went wrong.';
}
