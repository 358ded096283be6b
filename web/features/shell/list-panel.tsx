'use client';

import { Skeleton } from '@mantine/core';
import type { ReactNode } from 'react';
import type { CombinedError } from 'urql';
import { Panel } from './panel.tsx';
import { QueryProblem } from './problem.tsx';

interface ListPanelProps {
  /** The list; undefined while there is none yet. */
  children: ReactNode | undefined;
  title?: string;
  aside?: ReactNode;
  fetching: boolean;
  error: CombinedError | undefined;
  onRetry: () => void;
}

/** A panel with a list, or what stands there while it is loading or cannot be had. */
export function ListPanel({ children, title, aside, fetching, error, onRetry }: ListPanelProps) {
  return (
    <Panel flush {...(title === undefined ? {} : { title })} {...(aside === undefined ? {} : { aside })}>
      {children !== undefined ? (
        <div style={{ marginTop: -10 }}>{children}</div>
      ) : error && !fetching ? (
        <QueryProblem error={error} onRetry={onRetry} />
      ) : (
        <div style={{ padding: '8px 18px 18px' }} aria-busy="true">
          {[0, 1, 2].map((row) => (
            <Skeleton key={row} height={38} mt={10} />
          ))}
        </div>
      )}
    </Panel>
  );
}
