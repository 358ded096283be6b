'use client';

import { Skeleton } from '@mantine/core';
import type { Icon } from '@tabler/icons-react';
import type { CombinedError } from 'urql';
import { Blank } from './blank.tsx';
import { PageHeader, type PageHeaderProps } from './page-header.tsx';
import { Panel } from './panel.tsx';
import { QueryProblem } from './problem.tsx';

interface UnreadyPageProps {
  title: string;
  trail: NonNullable<PageHeaderProps['trail']>;
  /** What the page is about, where it does not exist. */
  missing: { icon: Icon; title: string };
  fetching: boolean;
  error: CombinedError | undefined;
  onRetry: () => void;
}

/** The page of one object while it is loading, when it cannot be had, or when there is none. */
export function UnreadyPage({ title, trail, missing, fetching, error, onRetry }: UnreadyPageProps) {
  if (fetching) {
    return (
      <div aria-busy="true">
        <PageHeader title={<Skeleton height={28} width={200} />} trail={trail} />
        <Skeleton height={96} radius="lg" mb="md" />
        <Skeleton height={320} radius="lg" />
      </div>
    );
  }
  return (
    <>
      <PageHeader title={title} trail={trail} />
      <Panel>
        {error ? (
          <QueryProblem error={error} onRetry={onRetry} />
        ) : (
          <Blank icon={missing.icon} title={missing.title}>
            It may belong to another tenant, or the address is mistyped.
          </Blank>
        )}
      </Panel>
    </>
  );
}
