'use client';

import { Button } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconFileDownload } from '@tabler/icons-react';
import { formatCount, formatPlural } from '../../lib/format.ts';
import { type FragmentType, readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import type { BatchListRowFragment } from '../../src/generated/graphql.ts';
import { JobList } from '../jobs/job-list.tsx';
import { WritersOnly } from '../session/writers-only.tsx';
import { Blank } from '../shell/blank.tsx';
import { Panel } from '../shell/panel.tsx';
import { BatchDialog } from './batch-dialog.tsx';

const ROW = graphql(`
  fragment BatchListRow on BatchRecommendation {
    id
    status
    failure
    count
    userCount
    doneCount
    createdAt
    file {
      expiresAt
    }
  }
`);

interface BatchesPanelProps {
  modelId: string;
  /** Whether a version answers, without which no batch begins. */
  isServing: boolean;
  batches: readonly FragmentType<typeof ROW>[];
}

/** The files of recommendations that a model made, and the way to make one. */
export function BatchesPanel({ modelId, isServing, batches: masked }: BatchesPanelProps) {
  const batches = readFragment(ROW, masked);
  const [opened, dialog] = useDisclosure();
  return (
    <Panel
      title="Batch recommendations"
      flush
      aside={
        <WritersOnly deed="start a batch">
          <Button
            variant="default"
            leftSection={<IconFileDownload size={16} />}
            onClick={dialog.open}
            disabled={!isServing}
            data-testid="start-batch"
          >
            New batch
          </Button>
        </WritersOnly>
      }
      testId="batches"
    >
      {batches.length === 0 ? (
        <Blank icon={IconFileDownload} title="No batch yet">
          {isServing
            ? 'A batch recommends to many users at once, into one file: for mails, or a cache of your own.'
            : 'A batch needs a version that answers: train the model first.'}
        </Blank>
      ) : (
        <JobList
          label="Batch recommendations"
          rows={batches.map((batch) => ({
            ...batch,
            href: `/batches/${batch.id}`,
            title: `${formatPlural(batch.count, 'item')} each`,
            outcome: describeOutcome(batch),
          }))}
        />
      )}
      <BatchDialog modelId={modelId} opened={opened} onClose={dialog.close} />
    </Panel>
  );
}

function describeOutcome({ status, failure, file, userCount, doneCount }: BatchListRowFragment): string {
  if (failure) return failure;
  if (userCount == null) return '';
  const users = formatPlural(userCount, 'user');
  if (status === 'SUCCEEDED') return file ? users : `${users}, the file is deleted`;
  return `${formatCount(doneCount)} of ${users}`;
}
